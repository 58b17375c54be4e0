/* See base/money.h. */
#include "base/money.h"
