import { fileURLToPath } from 'node:url';
import { ensureBubblewrap } from './setup/bubblewrap.mjs';
import { buildIsCurrent, ensureBuild } from './setup/build.mjs';
import { find } from './setup/commands.mjs';
import { dependenciesMatch, ensureDependencies } from './setup/dependencies.mjs';
import { ensureNatsServer } from './setup/nats-server.mjs';
import { checkNode } from './setup/node-version.mjs';
import { oneAtATime } from './setup/one-at-a-time.mjs';
import { SetupError, say } from './setup/say.mjs';

/**
 * Everything that a fresh machine needs before Baton can run: dependencies, nats-server, the sandbox, the build.
 * What is there already is left alone, so that a second call only looks.
 * @throws SetupError with one sentence that says what is missing and how to get it.
 */
export async function setUp() {
  checkNode();
  if (isSetUp()) return;
  await oneAtATime(async () => {
    ensureDependencies();
    await ensureNatsServer();
    ensureBubblewrap();
    ensureBuild();
  });
  say('everything is there.');
}

const isSetUp = () => dependenciesMatch() && find('nats-server') !== undefined && buildIsCurrent();

/** Runs the set-up for a command; answers false after having said why it cannot go on. */
export async function setUpOrSay() {
  try {
    await setUp();
    return true;
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    say(error.message);
    return false;
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url) && !(await setUpOrSay())) process.exitCode = 1;
