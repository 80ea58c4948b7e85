/**
 * A text in UTF-8, which should take `size` bytes: given memory of just that size, engines take a fraction of the time that it takes
 * them to provide for the most that it could be.
 */
export function encoded(text: string, size: number): Uint8Array<ArrayBuffer> {
  const encoder = new TextEncoder();
  // A stored size may have been altered. A unit of UTF-16 takes one to three bytes.
  if (size >= text.length && size <= 3 * text.length) {
    const bytes = new Uint8Array(size);
    const { read, written } = encoder.encodeInto(text, bytes);
    if (read === text.length && written === bytes.length) return bytes;
  }
  return encoder.encode(text);
}
