/* Integer types beyond stdint.h: the 128-bit integer that exact money needs. */
#ifndef CAPSTAN_BASE_INTEGER_H
#define CAPSTAN_BASE_INTEGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

__extension__ typedef __int128 int128;
__extension__ typedef unsigned __int128 uint128;

#endif
