#!/usr/bin/env bash
# Debian 12's MPICH 4.0.2 (libmpich12 4.0.2-3+b1) with UCX 1.13.1 (libucx0), called from Node through koffi 3.3.4; x86-64.
#
# Guess:     MPI_Init of a process alone, without a network card, changes nothing outside of the library's own memory.
# Behaviour: UCX, below MPICH, overwrites the first instructions of libc's own mmap, munmap, mremap, brk, sbrk, madvise, shmat and shmdt, in the
#            running process, with jumps into itself: all threads, the runtime's too, allocate through it from then on (long runs of Node were seen to
#            end in segmentation faults in its own code). With UCX_MEM_EVENTS=n in the environment before the library is loaded
#            nothing is overwritten, and a sum of MPI is the same.
# Output:    by default: 8 of 8 overwritten, sum 3; UCX_MEM_EVENTS=n: 0 of 8 overwritten, sum 3
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
# apt fetches as a user of its own, if that user may write here.
chmod 755 .
apt-get -qq download libmpich12=4.0.2-3+b1 libucx0=1.13.1-1 libhwloc15=2.9.0-1 libnuma1=2.0.16-1 2>/dev/null
for package in *.deb; do dpkg -x "$package" .; done
export LD_LIBRARY_PATH=$folder/usr/lib/x86_64-linux-gnu
npm init -y >/dev/null
npm install --silent --no-audit --no-fund koffi@3.3.4
cat >patched.mjs <<'JS'
import koffi from 'koffi'
const libc = koffi.load('libc.so.6')
const copy = libc.func('void *memcpy(_Out_ uint8_t *to, void *from, size_t bytes)')
const names = ['mmap', 'munmap', 'mremap', 'brk', 'sbrk', 'madvise', 'shmat', 'shmdt']
const code = (name) => {
  const bytes = new Uint8Array(16)
  copy(bytes, libc.symbol(name), 16)
  return bytes.join()
}
const before = names.map(code)
const mpi = koffi.load('libmpich.so.12', { global: true })
mpi.func('int MPI_Init(void *, void *)')(null, null)
const sum = new Float64Array([3])
const [inPlace, double, add, world] = [-1, 0x4c00080b, 0x58000003, 0x44000000]
mpi.func('MPI_Allreduce', 'int', ['intptr_t', 'void *', 'int', 'int', 'int', 'int'])(inPlace, sum, 1, double, add, world)
const changed = names.filter((name, i) => code(name) !== before[i]).length
console.log(`${changed} of ${names.length} overwritten, sum ${sum[0]}`)
process.exit(0)
JS
line="by default: $(node patched.mjs); UCX_MEM_EVENTS=n: $(UCX_MEM_EVENTS=n node patched.mjs)"
echo "$line"
[ "$line" = 'by default: 8 of 8 overwritten, sum 3; UCX_MEM_EVENTS=n: 0 of 8 overwritten, sum 3' ]
