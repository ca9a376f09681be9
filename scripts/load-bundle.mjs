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
  return evaluate(url, compile(url, readCache(url)));
}

/** Compiles all that the modules of the bundle need to be loaded, and leaves it beside the bundle. */
export async function cacheBundle(url) {
  const script = compile(url);
  await evaluate(url, script).loadTheRest();
  const compiled = script.createCachedData();
  const file = cacheOf(url);
  // A process that starts meanwhile finds all of it or nothing.
  writeFileSync(`${file}.new`, Buffer.concat([digestOf(compiled), compiled]), { flush: true });
  renameSync(`${file}.new`, file);
}

/** Whether a process with the flags of this one would be spared the compiling. */
export function isCached(url) {
  const compiled = readCache(url);
  return compiled !== undefined && compile(url, compiled).cachedDataRejected === false;
}

const cacheOf = (url) => `${fileURLToPath(url)}.cache`;
/** V8 trusts what it is given to the point of a crash; this finds what a disk has spoilt, in some milliseconds. */
const digestOf = (compiled) => createHash('sha256').update(compiled).digest();

function readCache(url) {
  try {
    const bytes = readFileSync(cacheOf(url));
    const [digest, compiled] = [bytes.subarray(0, 32), bytes.subarray(32)];
    return digestOf(compiled).equals(digest) ? compiled : undefined;
  } catch {
    return undefined;
  }
}

function compile(url, cachedData) {
  const filename = fileURLToPath(url);
  // It has no letters beyond ASCII outside of comments, and this encoding needs no decoding.
  const text = readFileSync(filename, 'latin1');
  return new Script(`(function (${PARAMETERS}) {${text}\n})`, { filename, cachedData });
}

function evaluate(url, script) {
  const module = { exports: {} };
  const filename = fileURLToPath(url);
  const folder = fileURLToPath(new URL('.', url));
  script.runInThisContext()(module.exports, createRequire(url), module, filename, folder, url.href);
  return module.exports;
}
