/* See base/assert.h. */
#include "base/assert.h"
