import { type ClusterPlan, LocalCluster } from '../../cluster/local-cluster.js';

/** Whoever is told how the start goes: a terminal, or the command that put us into the background. */
export interface Audience {
  readonly say: (sentence: string) => void;
  readonly ready: (announcement: string) => void;
}

const PATIENCE_MS = 60_000;

/** Starts the cluster, says when it is up, and stays until it is stopped by a signal or by `baton down`. */
export async function runUntilStopped(plan: ClusterPlan, audience: Audience, announcement: string): Promise<void> {
  const cluster = await LocalCluster.open(plan);
  stopOnSignals(cluster, audience);
  audience.say(`Starting the cluster on ${plan.data.path} …`);
  const late = setTimeout(() => {
    audience.say(`Still not ready: ${cluster.missing().join(', ')}; their logs are in ${plan.data.logs()}.`);
  }, PATIENCE_MS);
  const up = cluster.start().then(() => true);
  if (await Promise.race([up, cluster.stopped.then(() => false)])) {
    clearTimeout(late);
    audience.ready(announcement);
  }
  await cluster.stopped;
  clearTimeout(late);
  audience.say('Stopped.');
}

function stopOnSignals(cluster: LocalCluster, audience: Audience): void {
  let asked = 0;
  const onSignal = () => {
    asked += 1;
    audience.say(asked === 1 ? 'Stopping … (once more kills everything at once)' : 'Killing …');
    if (asked > 1) cluster.kill();
    else void cluster.stop();
  };
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, onSignal);
}
