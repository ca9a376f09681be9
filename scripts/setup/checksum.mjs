import { createHash } from 'node:crypto';

/** @throws when the archive's SHA-256 is not the published one. */
export function verify(sums, file, archive) {
  const line = sums.split('\n').find((text) => text.trim().split(/\s+\*?/)[1] === file);
  if (!line) throw new Error(`SHA256SUMS does not name ${file}`);
  const published = line.trim().split(/\s+/)[0].toLowerCase();
  const actual = createHash('sha256').update(archive).digest('hex');
  if (actual !== published) throw new Error(`${file} has the checksum ${actual}, published is ${published}`);
}
