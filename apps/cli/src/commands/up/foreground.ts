import { type ClusterPlan, LocalCluster } from '../../cluster/local-cluster.js';

/** Whoever is told how the start goes: a terminal, or the command that put us into the background. */
export interface Audience {
  readonly say: (sentence: string) => void;
  readonly ready: (announcement: string) => void;
}

const TELL_EVERY_MS = 3_000;
// A runner such as npm may pass a Ctrl-C on that the terminal has sent us already: only a later one is a second wish.
const SAME_WISH_MS = 1_000;

/** Starts the cluster, says when it is up, and stays until it is stopped by a signal or by `baton down`. */
export async function runUntilStopped(plan: ClusterPlan, audience: Audience, announcement: string): Promise<void> {
  const cluster = await LocalCluster.open(plan);
  stopOnSignals(cluster, audience);
  audience.say(`Starting the cluster on ${plan.data.path} …`);
  const waiting = tellWhatIsMissing(cluster, plan, audience);
  const up = cluster.start().then(() => true);
  if (await Promise.race([up, cluster.stopped.then(() => false)])) {
    clearInterval(waiting);
    audience.ready(announcement);
  }
  await cluster.stopped;
  clearInterval(waiting);
  audience.say('Stopped.');
}

/** Says every few seconds what is not up yet, when that has changed. */
function tellWhatIsMissing(cluster: LocalCluster, { data }: ClusterPlan, audience: Audience): NodeJS.Timeout {
  let told = '';
  return setInterval(() => {
    const missing = cluster.missing().join(', ');
    if (missing !== told) audience.say(`Waiting for ${missing}; logs are in ${data.logs()}`);
    told = missing;
  }, TELL_EVERY_MS);
}

function stopOnSignals(cluster: LocalCluster, audience: Audience): void {
  let firstAt: number | undefined;
  const onSignal = () => {
    if (firstAt === undefined) {
      firstAt = performance.now();
      audience.say('Stopping … (once more kills everything at once)');
      void cluster.stop();
    } else if (performance.now() - firstAt > SAME_WISH_MS) {
      audience.say('Killing …');
      cluster.kill();
    }
  };
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, onSignal);
}
