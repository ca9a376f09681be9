import type { CommandFactory } from '../command.js';
import { agentsCommand } from './agents.js';
import { blobCommand } from './blob.js';
import { demoCommand } from './demo.js';
import { doctorCommand } from './doctor.js';
import { downCommand } from './down.js';
import { effectsCommand } from './effects.js';
import { eventStoreCommand } from './event-store/index.js';
import { eventsCommand } from './events.js';
import { listCommand } from './list.js';
import { parkedCommand } from './parked.js';
import { psCommand } from './ps.js';
import { replayCommand } from './replay.js';
import { reportCommand } from './report.js';
import { runCommand } from './run.js';
import { statusCommand } from './status.js';
import { tortureCommand } from './torture.js';
import { upCommand } from './up/index.js';
import { usageCommand } from './usage.js';
import { verifyCommand } from './verify.js';
import { watchCommand } from './watch.js';
import {
  answerCommand,
  approveCommand,
  cancelCommand,
  denyCommand,
  messageCommand,
  pauseCommand,
  raiseCommand,
  resumeCommand,
} from './wishes.js';

/** Every command, in the order in which help lists them. */
export const COMMANDS: readonly CommandFactory[] = [
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
