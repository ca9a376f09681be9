/** What a model is shown of some output, and whether that is all of it. */
export interface Shown {
  readonly text: string;
  readonly cut: boolean;
}

/** What the line in the middle may take, in bytes. */
const LINE_BYTES = 80;

/**
 * Keeps head and tail of an output within `limit` bytes of UTF-8, with a line between them that says how much was left
 * out. Bytes that are no UTF-8 become replacement characters; no character is cut in two.
 */
export function shown(output: Uint8Array, limit: number): Shown {
  const bytes = Buffer.from(output.buffer, output.byteOffset, output.byteLength);
  const text = bytes.toString('utf8');
  const whole = Buffer.from(text, 'utf8');
  if (whole.byteLength <= limit) return { text, cut: false };
  const kept = Math.max(limit - LINE_BYTES, Math.floor(limit / 2));
  const headEnd = characterStart(whole, Math.ceil(kept / 2));
  const tailStart = characterEnd(whole, whole.byteLength - Math.floor(kept / 2));
  const left = tailStart - headEnd;
  const head = whole.toString('utf8', 0, headEnd);
  const tail = whole.toString('utf8', tailStart);
  return { text: `${head}\n[… ${left} of ${whole.byteLength} bytes left out …]\n${tail}`, cut: true };
}

const isInside = (bytes: Buffer, place: number): boolean => ((bytes[place] ?? 0) & 0xc0) === 0x80;

function characterStart(bytes: Buffer, place: number): number {
  let start = place;
  while (start > 0 && isInside(bytes, start)) start -= 1;
  return start;
}

function characterEnd(bytes: Buffer, place: number): number {
  let end = place;
  while (end < bytes.byteLength && isInside(bytes, end)) end += 1;
  return end;
}
