import type { EventView, RunId } from '#contracts';
import { evolve, type Run } from '#domain';
import { follow } from '../api/follow.js';
import type { Gateway } from '../api/gateway.js';
import type { Output } from '../output.js';
import { barOf } from './bar.js';
import { lineOf } from './live-line.js';
import { LiveView } from './live-view.js';
import { recordedOf } from './recorded.js';

export interface Watching {
  readonly from: number;
  readonly json: boolean;
  readonly output: Output;
}

/** Shows a run until it has ended or the person leaves with Ctrl-C, which does nothing to the run. */
export async function watchRun(gateway: Gateway, id: RunId, { from, json, output }: Watching): Promise<void> {
  const leaving = new AbortController();
  const leave = (): void => leaving.abort();
  process.once('SIGINT', leave);
  const view = new LiveView(process.stdout);
  const show = json ? (event: EventView) => output.json(event) : await shownOn(view, gateway, id, from);
  let next = from;
  try {
    const onLost = (why: string): void => output.note(`The line to the gateway is cut; coming back. (${why})`);
    for await (const event of follow(gateway.http, id, { from, signal: leaving.signal, onLost })) {
      next = event.revision + 1;
      show(event);
    }
  } finally {
    process.removeListener('SIGINT', leave);
    view.close();
  }
  if (leaving.signal.aborted) {
    output.note(`The run goes on without you. Come back with: npx baton watch ${id} --from ${next}`);
  }
}

/** What was before `from` is not shown, but the bar rests on it. */
async function shownOn(view: LiveView, gateway: Gateway, id: RunId, from: number): Promise<(event: EventView) => void> {
  let run: Run | undefined;
  if (from > 0) {
    for await (const event of gateway.events(id)) {
      if (event.revision >= from) break;
      run = evolve(run, recordedOf(event));
    }
  }
  return (event) => {
    const recorded = recordedOf(event);
    run = evolve(run, recorded);
    const line = lineOf(recorded.event);
    if (line !== undefined) view.line(`${String(event.revision).padStart(5)}  ${line}`);
    view.show(barOf(run));
  };
}
