import { agentsCommand } from './commands/agents.js';
import { blobCommand } from './commands/blob.js';
import { demoCommand } from './commands/demo.js';
import { doctorCommand } from './commands/doctor.js';
import { downCommand } from './commands/down.js';
import { effectsCommand } from './commands/effects.js';
import { eventStoreCommand } from './commands/event-store/index.js';
import { eventsCommand } from './commands/events.js';
import { listCommand } from './commands/list.js';
import { parkedCommand } from './commands/parked.js';
import { psCommand } from './commands/ps.js';
import { replayCommand } from './commands/replay.js';
import { reportCommand } from './commands/report.js';
import { runCommand } from './commands/run.js';
import { statusCommand } from './commands/status.js';
import { tortureCommand } from './commands/torture.js';
import { upCommand } from './commands/up/index.js';
import { usageCommand } from './commands/usage.js';
import { verifyCommand } from './commands/verify.js';
import { watchCommand } from './commands/watch.js';
import {
  answerCommand,
  approveCommand,
  cancelCommand,
  denyCommand,
  messageCommand,
  pauseCommand,
  raiseCommand,
  resumeCommand,
} from './commands/wishes.js';
import { readEnvironment } from './config.js';
import { Output } from './output.js';
import { runProgram } from './program.js';

const commands = [
  upCommand,
  downCommand,
  demoCommand,
  psCommand,
  agentsCommand,
  runCommand,
  statusCommand,
  listCommand,
  cancelCommand,
  pauseCommand,
  resumeCommand,
  messageCommand,
  approveCommand,
  denyCommand,
  answerCommand,
  raiseCommand,
  effectsCommand,
  usageCommand,
  eventsCommand,
  blobCommand,
  watchCommand,
  replayCommand,
  verifyCommand,
  parkedCommand,
  reportCommand,
  doctorCommand,
  tortureCommand,
  eventStoreCommand,
];

const output = new Output();
try {
  process.exitCode = await runProgram(commands, { environment: readEnvironment(), output }, process.argv.slice(2));
} catch (error) {
  output.fail(error);
  process.exitCode = 1;
}
