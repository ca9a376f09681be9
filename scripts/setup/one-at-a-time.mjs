import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { tools } from './places.mjs';
import { say } from './say.mjs';

const LOCK = join(tools, 'setup.lock');

/** Runs the work while no other set-up of this checkout runs; a lock whose owner is gone is taken over. */
export async function oneAtATime(work) {
  mkdirSync(tools, { recursive: true });
  let told = false;
  while (!take()) {
    if (!told) say('another set-up is at work here; waiting for it …');
    told = true;
    await wait(200);
  }
  try {
    return await work();
  } finally {
    rmSync(LOCK, { force: true });
  }
}

function take() {
  try {
    writeFileSync(LOCK, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
    if (ownerLives()) return false;
    rmSync(LOCK, { force: true });
    return false;
  }
}

function ownerLives() {
  try {
    const owner = Number.parseInt(readFileSync(LOCK, 'utf8'), 10);
    // An empty file is a lock in the moment between its making and its writing.
    if (Number.isNaN(owner)) return Date.now() - statSync(LOCK).mtimeMs < 10_000;
    process.kill(owner, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}
