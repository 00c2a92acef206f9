// Prints a hash of each page that is named on stdin ("p 1a2b000" physical, "v fffff800..." virtual), or "-" where kdmp-parser
// has none. Built by pages.mjs against the header of a checkout of kdmp-parser.
#include "kdmp-parser.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>

int main(int argc, char **argv) {
  kdmpparser::KernelDumpParser parser;
  if (argc < 2 || !parser.Parse(argv[1])) return 1;
  // COUNT: for bench/peers.mjs, which measures reading alone
  const bool counts = getenv("COUNT") != nullptr;
  unsigned long long read = 0;
  static volatile uint8_t copy[0x1000];
  char kind;
  unsigned long long address;
  while (scanf(" %c %llx", &kind, &address) == 2) {
    unsigned long long pages;
    if (counts && scanf("%llu", &pages) == 1) {
      for (unsigned long long i = 0; i < pages; i++) {
        const uint8_t *one = parser.GetVirtualPage(address + i * 0x1000);
        if (one == nullptr) continue;
        memcpy((void *)copy, one, sizeof copy);
        read++;
      }
      continue;
    }
    const uint8_t *page =
        kind == 'p' ? parser.GetPhysicalPage(address) : parser.GetVirtualPage(address);
    if (page == nullptr) {
      puts("-");
      continue;
    }
    uint64_t hash = 0xcbf29ce484222325;
    for (int i = 0; i < 0x1000; i += 8) {
      uint64_t word;
      memcpy(&word, page + i, 8);
      hash = (hash ^ word) * 0x100000001b3;
    }
    printf("%016llx\n", (unsigned long long)hash);
  }
  if (counts) printf("%llu\n", read);
}
