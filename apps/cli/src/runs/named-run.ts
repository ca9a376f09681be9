import { RunId } from '#contracts';
import type { Gateway } from '../api/gateway.js';
import { Obstacle } from '../errors.js';

/**
 * The run that a person means: an id, the beginning of one, or `latest`.
 * @throws Obstacle when none or several are meant.
 */
export async function namedRun(gateway: Gateway, named: string): Promise<RunId> {
  const id = RunId.safeParse(named);
  if (id.success) return id.data;
  const ids = (await gateway.runs()).map((run) => run.id);
  if (named === 'latest') {
    const [latest] = ids;
    if (latest !== undefined) return latest;
    throw new Obstacle('There is no run yet: start one with `npx baton run AGENT`.');
  }
  const matching = ids.filter((candidate) => candidate.startsWith(named.toLowerCase()));
  const [only] = matching;
  if (only !== undefined && matching.length === 1) return only;
  throw new Obstacle(
    only === undefined
      ? `There is no run whose id begins with ${named}: \`npx baton list\` shows them.`
      : `${matching.length} runs have ids that begin with ${named}: write more of the id, as \`npx baton list\` shows it.`,
  );
}
