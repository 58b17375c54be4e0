/* Logarithm, exponential and square root with the same bits on every machine: built of + - * / and
 * sqrt only, which IEEE 754 rounds one way. */
#ifndef CAPSTAN_BASE_MATH_H
#define CAPSTAN_BASE_MATH_H

#include <float.h>
#include <stdint.h>

#ifdef __FAST_MATH__
#error "models need IEEE 754 arithmetic: build without -ffast-math"
#endif
_Static_assert(FLT_EVAL_METHOD == 0 || FLT_EVAL_METHOD == 1,
               "a double must be computed as a double: no x87 registers");
_Static_assert(DBL_MANT_DIG == 53 && DBL_MAX_EXP == 1024, "a double is IEEE 754 binary64");

/* Every NaN that these return is one quiet NaN without sign. Error bounds are in units of the last
 * place of the exact result, and tested against MPFR. */

/* Natural logarithm, to less than 1 ulp. 0 gives -infinity, what is below gives NaN. */
double math_log(double x);

/* e to the power x, to less than 1 ulp (1.5 where the result is subnormal). Past 709.78 infinity,
 * below -745.14 0. */
double math_exp(double x);

/* Square root, exactly rounded. What is below 0 gives NaN; -0 gives -0. */
double math_sqrt(double x);

/* The 64 bits of a double (sign, exponent, fraction), and the double of such bits. */
uint64_t math_to_bits(double x);
double math_from_bits(uint64_t bits);

#endif
