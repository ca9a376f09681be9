import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import { Redactor, type SecretValue } from './redaction.js';

/**
 * The program between a command and its output file, for commands that are given secrets: what it reads from its standard
 * input it writes to `output`, without the secrets that descriptor 5 tells it, up to the number of bytes in its argument.
 */
const SECRETS = 5;
const redactor = new Redactor(JSON.parse(readFileSync(SECRETS, 'utf8')) as SecretValue[]);
let room = Number(process.argv[2]);
const output = openSync('output', 'w', 0o600);

const write = (text: string): void => {
  const bytes = Buffer.from(text, 'latin1').subarray(0, room);
  room -= bytes.byteLength;
  try {
    for (let at = 0; at < bytes.byteLength; ) at += writeSync(output, bytes, at);
  } catch {
    room = 0; // the disk is full: the command goes on, what it still prints is lost
  }
};

let held = '';
process.stdin.on('data', (chunk: Buffer) => {
  const { done, rest } = redactor.pieces(held + chunk.toString('latin1'), false);
  held = rest;
  write(done);
});
process.stdin.on('end', () => {
  write(redactor.pieces(held, true).done);
  closeSync(output);
});
