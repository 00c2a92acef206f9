/*
 * Bulk: internal functions of a few sizes that call one another, so that the kernel's code has the distances between
 * a function and its cold part that profile-guided builds have. No tag stands here.
 */
#include "nt.h"

static volatile ULONG KiBulk[256];
COLD void KiBulkRare(ULONG n) { KiBulk[n & 255]++; }

#define ROUND(k) \
  x = (x << ((k) & 7)) ^ (x >> (((k) & 3) + 5)); \
  KiBulk[(x + (k)) & 255] += x; \
  if (KiBulk[(k) & 255] == 0x7fff0000u + (k)) KiBulkRare(x + (k));
#define BULK(n) \
  NOINLINE ULONG KiBulk##n(ULONG x, ULONG y) { \
    ROUND(n * 3) ROUND(n * 5 + 1) ROUND(n * 7 + 2) ROUND(n * 11 + 3) \
    while (y-- != 0) { ROUND(n * 13 + 4) ROUND(n * 17 + 5) } \
    return x ^ KiBulk[n]; }
#define CALLER(n, a, b) \
  NOINLINE ULONG KiCall##n(ULONG x) { \
    ULONG y = KiBulk##a(x, 3); \
    if (y & 1) y += KiBulk##b(y, x & 7); \
    if (y == 0x12345678u) KeBugCheckEx(0xE6, n, y, x, 0); \
    return y; }
#define FIVE(a, b, c, d, e) BULK(a) BULK(b) BULK(c) BULK(d) BULK(e) CALLER(a, b, c) CALLER(b, d, e) CALLER(c, e, a)
FIVE(101, 102, 103, 104, 105) FIVE(106, 107, 108, 109, 110) FIVE(111, 112, 113, 114, 115) FIVE(116, 117, 118, 119, 120)
FIVE(121, 122, 123, 124, 125) FIVE(126, 127, 128, 129, 130) FIVE(131, 132, 133, 134, 135) FIVE(136, 137, 138, 139, 140)
FIVE(141, 142, 143, 144, 145) FIVE(146, 147, 148, 149, 150) FIVE(151, 152, 153, 154, 155) FIVE(156, 157, 158, 159, 160)

ULONG (*const KiBulkTable[])(ULONG) = { KiCall101, KiCall106, KiCall111, KiCall116, KiCall121, KiCall126, KiCall131, KiCall136, KiCall141, KiCall146, KiCall151, KiCall156 };

ULONG NTAPI KeDispatchSecondaryInterrupt(ULONG vector, ULONG context) { return KiBulkTable[vector % 12](context) + KiCall102(vector) + KiCall132(context); }
