import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { find } from './setup/commands.mjs';
import { inRoot, root } from './setup/places.mjs';
import { setUpOrSay } from './setup.mjs';

// Whole clusters would disturb each other's timing: the e2e files run one after the other.
const PROJECTS = [
  { name: 'unit', args: [], folders: ['apps', 'libs', 'chaos'] },
  { name: 'int', args: [], folders: ['apps', 'libs', 'simulation'] },
  { name: 'e2e', args: ['--runInBand'], folders: ['test'] },
];

const given = process.argv.slice(2);
const scratch = mkdtempSync(join(tmpdir(), 'baton-test-'));
process.exitCode = (await setUpOrSay()) ? await testAll() : 1;
rmSync(scratch, { recursive: true, force: true });

async function testAll() {
  const selected = selection();
  const outcomes = [];
  for (const project of PROJECTS) {
    const chosen = selected.length === 0 || selected.includes(project.name);
    if (chosen && project.folders.some((folder) => existsSync(inRoot(folder)))) outcomes.push(await test(project));
  }
  const sum = (key) => outcomes.reduce((total, outcome) => total + outcome[key], 0);
  process.stdout.write(`\n${sum('passed')} passed, ${sum('failed')} failed, ${sum('skipped')} skipped\n`);
  return outcomes.every(({ code, failed }) => code === 0 && failed === 0) ? 0 : 1;
}

/** The names after `--selectProjects`, which are taken out of what jest is given. */
function selection() {
  const at = given.indexOf('--selectProjects');
  if (at < 0) return [];
  const names = given.slice(at + 1);
  const end = names.findIndex((name) => name.startsWith('-'));
  return given.splice(at, 1 + (end < 0 ? names.length : end)).slice(1);
}

async function test({ name, args }) {
  const summary = join(scratch, `${name}.json`);
  const code = await jest([
    '--selectProjects',
    name,
    '--passWithNoTests',
    '--json',
    `--outputFile=${summary}`,
    ...args,
    ...given,
  ]);
  if (!existsSync(summary)) return { code, passed: 0, failed: code === 0 ? 0 : 1, skipped: 0 };
  const result = JSON.parse(readFileSync(summary, 'utf8'));
  return {
    code,
    passed: result.numPassedTests,
    // A file that could not even be loaded has no failed test in it, and is a failure all the same.
    failed: result.numFailedTests + result.numRuntimeErrorTestSuites,
    skipped: result.numPendingTests + result.numTodoTests,
  };
}

function jest(args) {
  const node = ['--disable-warning=ExperimentalWarning', '--experimental-vm-modules'];
  const child = spawn(process.execPath, [...node, inRoot('node_modules', 'jest', 'bin', 'jest.js'), ...args], {
    cwd: root,
    stdio: 'inherit',
    env: { BATON_NATS_SERVER: find('nats-server'), ...process.env },
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => resolve(code === null ? 1 : code));
  });
}
