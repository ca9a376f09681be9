import {
  type AgentVersion,
  type Caps,
  type GatewayRunEvent,
  momentOf,
  type SomeCaps,
  type StartRunRequest,
  WORDS_VERSION,
} from '#contracts';
import { reserveFault, tooMuchToShow } from '#domain';
import { BY } from '../caller.js';
import { ApiProblem, type FieldFault, invalid } from '../http/problems.js';

export type RunRequested = Extract<GatewayRunEvent, { type: 'RunRequested' }>;

/** The log takes 1 MiB an append; what is beside the data needs some of it. */
const MOST_REQUEST_BYTES = 900_000;

/** What surrounds a wish: known to the shell only. */
interface Circumstances {
  readonly now: number;
  readonly requestDigest: string;
  /** The most that this server allows of each cap. */
  readonly maxima: SomeCaps;
}

/**
 * The first event of a run, pinned to one version of its agent.
 * @throws ApiProblem 422 with the fields that are wrong, 413 when it is too large for the log
 */
export function runRequested(wish: StartRunRequest, agent: AgentVersion, by: Circumstances): RunRequested {
  const caps = loweredCaps(agent.spec.caps, wish.caps ?? {});
  const faults = [
    ...capFaults(agent.spec.caps, caps),
    ...maximumFaults(caps, by.maxima),
    ...itemFaults(wish.items, caps.items),
    ...attachmentFaults(wish, agent),
  ];
  if (faults.length > 0) throw invalid(...faults);
  const { name, version, spec, files } = agent;
  const event: RunRequested = {
    type: 'RunRequested',
    data: {
      at: momentOf(by.now),
      agent: { name, version, spec, files },
      caps,
      ...(wish.input === undefined ? {} : { input: wish.input }),
      ...(wish.attachments?.length ? { attachments: wish.attachments } : {}),
      items: wish.items,
      ...(wish.stayOpen ? { stayOpen: true } : {}),
      words: WORDS_VERSION,
      requestDigest: by.requestDigest,
      by: BY,
    },
  };
  assertFits(event);
  return event;
}

function attachmentFaults({ attachments = [] }: StartRunRequest, agent: AgentVersion): readonly FieldFault[] {
  const message = tooMuchToShow({ agent }, attachments);
  return message === undefined ? [] : [{ field: 'attachments', message }];
}

function loweredCaps(caps: Caps, wanted: NonNullable<StartRunRequest['caps']>): Caps {
  return { ...caps, ...Object.fromEntries(Object.entries(wanted).filter(([, limit]) => limit !== undefined)) };
}

function capFaults(agent: Caps, run: Caps): readonly FieldFault[] {
  const raised = Object.keys(agent)
    .map((name) => name as keyof Caps)
    .filter((name) => run[name] > agent[name])
    .map((name) => ({
      field: `caps.${name}`,
      message: `${run[name]} is more than the agent's ${agent[name]}; a run may only lower its caps`,
    }));
  const fault = reserveFault(run);
  if (raised.length > 0 || fault === undefined) return raised;
  return [{ field: 'caps.segmentSeconds', message: `${fault}; lower caps.reserveSeconds too` }];
}

function maximumFaults(caps: Caps, maxima: SomeCaps): readonly FieldFault[] {
  return (Object.keys(caps) as (keyof Caps)[]).flatMap((name) => {
    const most = maxima[name];
    if (most === undefined || caps[name] <= most) return [];
    const message = `${caps[name]} is more than this server allows (${most}, BATON_MAX_CAPS); start the run with caps.${name} of at most ${most}`;
    return [{ field: `caps.${name}`, message }];
  });
}

const MOST_FAULTS = 20;

function itemFaults(items: StartRunRequest['items'], most: number): readonly FieldFault[] {
  if (items.length > most) {
    return [{ field: 'items', message: `${items.length} items are more than the ${most} of caps.items` }];
  }
  const seen = new Map<string, number>();
  const faults: FieldFault[] = [];
  for (const [place, { id }] of items.entries()) {
    const first = seen.get(id);
    if (first === undefined) seen.set(id, place);
    else
      faults.push({ field: `items.${place}.id`, message: `${JSON.stringify(id)} is already the id of item ${first}` });
  }
  return faults.slice(0, MOST_FAULTS);
}

function assertFits(event: RunRequested): void {
  const bytes = Buffer.byteLength(JSON.stringify(event));
  if (bytes <= MOST_REQUEST_BYTES) return;
  throw new ApiProblem(
    413,
    'run-too-large',
    `The run with its items, its input and its agent takes ${bytes} bytes; at most ${MOST_REQUEST_BYTES} can be recorded. Split the items over several runs, or give them as files of the workspace and name only the files here.`,
  );
}
