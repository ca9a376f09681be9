import { readFileSync } from 'node:fs';
import type { AgentSpec, ItemSpec, Recorded, RunEvent, RunId, SeedFile } from '#contracts';
import { Blobs, connectLog } from '#log';
import { readAgentFile } from '../agent-file/read-agent-file.js';
import { seedFiles } from '../agent-file/seed-files.js';
import { Gateway } from '../api/gateway.js';
import { readRecord } from '../cluster/cluster-record.js';
import { LOOPBACK } from '../cluster/ports.js';
import type { Environment } from '../config.js';
import { Obstacle } from '../errors.js';
import { namedRun } from '../runs/named-run.js';
import { recordedOf } from '../runs/recorded.js';
import { dataFolder, findTarget } from '../target.js';
import { scriptOf } from './script-of.js';

/** What is tortured: an agent with its files, played by the simulator, and the work that it is given. */
export interface Subject {
  readonly spec: AgentSpec;
  readonly files: readonly { readonly seed: SeedFile; readonly content: () => Uint8Array<ArrayBuffer> }[];
  readonly items: readonly ItemSpec[];
  readonly input?: string;
  /** The run whose turns are played again. */
  readonly recorded?: RunId;
}

export interface Naming {
  /** An agent file, or the name of an agent on a cluster. */
  readonly agent: string;
  readonly items: readonly ItemSpec[];
  readonly input?: string | undefined;
  /** A run whose turns are played again. */
  readonly recorded?: string | undefined;
  /** The data folder of the cluster that knows the agent or the run. */
  readonly data?: string | undefined;
}

export async function subjectOf(naming: Naming, environment: Environment): Promise<Subject> {
  const known = await agentOf(naming, environment);
  const { items, input } = naming;
  if (naming.recorded === undefined) {
    return { ...known, spec: played(known.spec), items, ...(input === undefined ? {} : { input }) };
  }
  const { run, events } = await recordedRun(naming.recorded, naming, environment);
  const request = events[0]?.event;
  if (request?.type !== 'RunRequested') throw new Obstacle(`The run ${run} has no beginning in the log.`);
  const { name } = request.data.agent;
  if (name !== known.spec.name) {
    throw new Obstacle(`The run ${run} is one of ${name}, not of ${known.spec.name}: name one of its own.`);
  }
  const said = input ?? request.data.input;
  return {
    ...known,
    spec: played({ ...known.spec, simulate: scriptOf(events) }),
    items: items.length > 0 ? items : request.data.items,
    ...(said === undefined ? {} : { input: said }),
    recorded: run,
  };
}

/** Nobody pays for a torture: the model is always the simulator. */
function played(spec: AgentSpec): AgentSpec {
  if (spec.simulate === undefined && spec.model.name !== 'simulator') {
    throw new Obstacle(
      `The agent's model is ${spec.model.name}, which torture does not pay for: say in \`simulate\` what the simulator is to play, or replay a run of it with --recorded RUN.`,
    );
  }
  return { ...spec, model: { ...spec.model, name: 'simulator' } };
}

async function agentOf({ agent, data }: Naming, environment: Environment): Promise<Pick<Subject, 'spec' | 'files'>> {
  if (/\.(ya?ml|json)$/i.test(agent) || agent.includes('/')) {
    const spec = readAgentFile(agent);
    const files = seedFiles(agent, spec.workspace.files);
    return {
      spec,
      files: files.map(({ seed, file }) => ({ seed, content: () => Uint8Array.from(readFileSync(file)) })),
    };
  }
  const { spec, files } = await new Gateway(findTarget(data, environment)).agent(agent);
  const contents = await blobsOf(files, data, environment);
  return {
    spec,
    files: files.map((seed) => ({ seed, content: () => contents.get(seed.digest) ?? new Uint8Array() })),
  };
}

/** The gateway takes files and does not give them back; the local log has them. */
async function blobsOf(
  files: readonly SeedFile[],
  data: string | undefined,
  environment: Environment,
): Promise<ReadonlyMap<string, Uint8Array<ArrayBuffer>>> {
  if (files.length === 0) return new Map();
  const services = readRecord(dataFolder(data, environment))?.services ?? [];
  const port = services.find(({ name }) => name === 'event-store')?.port;
  if (port === undefined) {
    throw new Obstacle('The files of this agent lie in the log of another machine: give its agent file instead.');
  }
  const log = connectLog(`esdb://${LOOPBACK}:${port}?tls=false`);
  try {
    const blobs = new Blobs(log);
    const contents = new Map<string, Uint8Array<ArrayBuffer>>();
    for (const { digest } of files) contents.set(digest, Uint8Array.from(await blobs.get(digest)));
    return contents;
  } finally {
    await log.close();
  }
}

async function recordedRun(
  named: string,
  { data }: Naming,
  environment: Environment,
): Promise<{ readonly run: RunId; readonly events: readonly Recorded<RunEvent>[] }> {
  const gateway = new Gateway(findTarget(data, environment));
  const run = await namedRun(gateway, named);
  const events: Recorded<RunEvent>[] = [];
  for await (const event of gateway.events(run)) events.push(recordedOf(event));
  return { run, events };
}
