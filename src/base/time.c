/* See base/time.h. */
#include "base/time.h"
