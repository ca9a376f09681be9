#!/usr/bin/env node
import { existsSync } from 'node:fs';
import { inRoot } from '../scripts/setup/places.mjs';
import { setUpOrSay } from '../scripts/setup.mjs';

const program = inRoot('dist', 'apps', 'cli', 'src', 'main.js');

// Only what starts processes must match the sources; a question to a running cluster should neither wait for a
// build nor change the code under it.
const STARTS_PROCESSES = new Set(['up', 'demo']);

const ready = (!STARTS_PROCESSES.has(process.argv[2]) && existsSync(program)) || (await setUpOrSay());
if (ready) await import(program);
else process.exitCode = 1;
