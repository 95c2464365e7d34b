// How long a record is, told in classes: an exact length says more than it should, of a short answer what it was.

const leastBytes = 1_024

/** The least power of two that holds so many bytes; 1,024 at least. */
export function sizeClassOf(bytes: number): number {
  let size = leastBytes
  while (size < bytes) size *= 2
  return size
}
