import { createHash } from 'node:crypto';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { Script } from 'node:vm';

/*
 * How a process runs its bundle (see bundle.mjs, which puts a copy of this file into the build). Beside the bundle may
 * lie what V8 compiled of it: V8 takes it when it is of the same version with the same flags, and else compiles anew.
 */

const PARAMETERS = 'exports, require, module, __filename, __dirname, bundleUrl';

/**
 * @param url the file of the bundle
 * @returns what the bundle exports; its modules have run
 */
export function loadBundle(url) {
  const text = readFileSync(url);
  return evaluate(url, compile(url, text, readCache(url, text)));
}

/** Compiles all that the modules of the bundle need to be loaded, and leaves it beside the bundle. */
export async function cacheBundle(url) {
  const text = readFileSync(url);
  const script = compile(url, text);
  await evaluate(url, script).loadTheRest();
  const compiled = script.createCachedData();
  const file = cacheOf(url);
  // A process that starts meanwhile finds all of it or nothing.
  writeFileSync(`${file}.new`, Buffer.concat([digestOf(text, compiled), compiled]), { flush: true });
  renameSync(`${file}.new`, file);
}

/** Whether a process with the flags of this one would be spared the compiling. */
export function isCached(url) {
  const text = readFileSync(url);
  const compiled = readCache(url, text);
  return compiled !== undefined && compile(url, text, compiled).cachedDataRejected === false;
}

const cacheOf = (url) => `${fileURLToPath(url)}.cache`;
/**
 * V8 trusts what it is given to the point of a crash, and of the text it compares the length alone: this finds what a disk
 * has spoilt and what was compiled of another text, in some milliseconds.
 */
const digestOf = (text, compiled) => createHash('sha256').update(text).update(compiled).digest();

function readCache(url, text) {
  try {
    const bytes = readFileSync(cacheOf(url));
    const [digest, compiled] = [bytes.subarray(0, 32), bytes.subarray(32)];
    return digestOf(text, compiled).equals(digest) ? compiled : undefined;
  } catch {
    return undefined;
  }
}

function compile(url, text, cachedData) {
  // It has no letters beyond ASCII outside of comments, and this encoding needs no decoding.
  const program = `(function (${PARAMETERS}) {${text.toString('latin1')}\n})`;
  return new Script(program, { filename: fileURLToPath(url), cachedData });
}

function evaluate(url, script) {
  const module = { exports: {} };
  const filename = fileURLToPath(url);
  const folder = fileURLToPath(new URL('.', url));
  script.runInThisContext()(module.exports, createRequire(url), module, filename, folder, url.href);
  return module.exports;
}
