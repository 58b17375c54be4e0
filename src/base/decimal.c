/* See base/decimal.h. */
#include "base/decimal.h"
