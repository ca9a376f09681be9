import { createHash, hash as hashOf } from 'node:crypto';
import { v7 } from 'uuid';

/** A new id that sorts by time of birth (UUIDv7). */
export const newId = (): string => v7();

/** The same id for the same text, for ever (a UUIDv8 made from its SHA-256). */
export function idOf(text: string): string {
  const hash = createHash('sha256').update(text).digest();
  hash.writeUInt8((hash.readUInt8(6) & 0x0f) | 0x80, 6);
  hash.writeUInt8((hash.readUInt8(8) & 0x3f) | 0x80, 8);
  const hex = hash.toString('hex', 0, 16);
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

/** SHA-256 in lower-case hex: the name of a blob, the digest of an input. */
export const sha256 = (content: string | Uint8Array): string => hashOf('sha256', content);
