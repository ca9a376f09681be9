import { createHash } from 'node:crypto';

/** The proof that a thought is the simulator's own and unchanged; a real model's is opaque, too. */
export const signatureOf = (thinking: string): string =>
  createHash('sha512').update(`baton model simulator\n${thinking}`).digest('base64');

/** A thought that nobody may read, as it travels: its text and its proof. */
export const redacted = (thinking: string): string =>
  `${Buffer.from(thinking).toString('base64')}.${signatureOf(thinking)}`;

export function isOurs(data: string): boolean {
  const [text = ''] = data.split('.', 1);
  return data === redacted(Buffer.from(text, 'base64').toString());
}
