import { randomBytes, type ScryptOptions, scrypt, timingSafeEqual } from 'node:crypto';

/** A password as it is kept: scrypt with its costs, its salt, and what came out. */
export interface PasswordHash {
  readonly cost: number;
  readonly blockSize: number;
  readonly parallel: number;
  readonly salt: Buffer;
  readonly hash: Buffer;
}

const KEY_BYTES = 32;
const SALT_BYTES = 16;
/** 32 MiB and some 100 ms for each guess. */
const TODAY = { cost: 32_768, blockSize: 8, parallel: 1 };
const MOST_MEMORY = 128 * 1024 * 1024;
const FORM = /^scrypt:(\d{1,7}):(\d{1,3}):(\d{1,2}):([A-Za-z0-9_-]{16,128}):([A-Za-z0-9_-]{43})$/;

export async function hashPassword(password: string): Promise<PasswordHash> {
  const made = { ...TODAY, salt: randomBytes(SALT_BYTES) };
  return { ...made, hash: await derive(password, made) };
}

export async function isPassword(password: string, kept: PasswordHash): Promise<boolean> {
  return timingSafeEqual(await derive(password, kept), kept.hash);
}

/** A hash that no password has: checking it takes as long as checking a real one. */
export const unmatchable = (): PasswordHash => ({
  ...TODAY,
  salt: randomBytes(SALT_BYTES),
  hash: randomBytes(KEY_BYTES),
});

export function hashText({ cost, blockSize, parallel, salt, hash }: PasswordHash): string {
  return `scrypt:${cost}:${blockSize}:${parallel}:${salt.toString('base64url')}:${hash.toString('base64url')}`;
}

/** @returns undefined when the text is no hash, or one that costs more than this server spends. */
export function readHash(text: string): PasswordHash | undefined {
  const [, cost, blockSize, parallel, salt = '', hash = ''] = FORM.exec(text) ?? [];
  const kept = {
    cost: Number(cost),
    blockSize: Number(blockSize),
    parallel: Number(parallel),
    salt: Buffer.from(salt, 'base64url'),
    hash: Buffer.from(hash, 'base64url'),
  };
  return isAffordable(kept) ? kept : undefined;
}

function isAffordable({ cost, blockSize, parallel, hash }: PasswordHash): boolean {
  const powerOfTwo = cost > 1 && Number.isInteger(Math.log2(cost));
  const memory = 128 * cost * blockSize + 128 * blockSize * parallel;
  return powerOfTwo && blockSize > 0 && parallel > 0 && memory <= MOST_MEMORY && hash.length === KEY_BYTES;
}

function derive(password: string, { cost, blockSize, parallel, salt }: Omit<PasswordHash, 'hash'>): Promise<Buffer> {
  const options: ScryptOptions = { N: cost, r: blockSize, p: parallel, maxmem: 2 * MOST_MEMORY };
  return new Promise((resolve, reject) => {
    scrypt(password.normalize('NFKC'), salt, KEY_BYTES, options, (error, key) =>
      error ? reject(error) : resolve(key),
    );
  });
}
