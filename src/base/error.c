/* See base/error.h. */
#include "base/error.h"
