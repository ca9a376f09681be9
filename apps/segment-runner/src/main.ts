import { fork } from 'node:child_process';
import { createLogger, messageOf, newId, printable, watchLoop } from '#platform';
import { segmentRunnerConfig } from './config.js';
import { loadPrices } from './model/prices.js';
import { Pool } from './supervisor/pool.js';

const startUp = createLogger('segment-runner');
try {
  const config = segmentRunnerConfig();
  const logger = createLogger('segment-runner', config.BATON_LOG_LEVEL);
  const { readOn, usdPerMillionTokens } = loadPrices(config.BATON_PRICES);
  const priced = Object.keys(usdPerMillionTokens).length;
  logger.info({ ...printable(config), priced, pricesReadOn: readOn }, 'starting');
  const program = new URL('./child/main.js', import.meta.url);
  const execArgv = [...process.execArgv, `--max-old-space-size=${config.BATON_CHILD_MEMORY_MB}`];
  const pool = new Pool({
    fork: () => fork(program, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'], execArgv }),
    size: config.BATON_ONCE ? 1 : config.BATON_POOL_SIZE,
    segmentsPerChild: config.BATON_SEGMENTS_PER_CHILD,
    hungMs: config.BATON_HUNG_MS,
    runnerId: `runner-${newId()}`,
    logger,
  });
  // The children boot while the supervisor's own framework is loaded: a run that lost its runner waits for both.
  const { serveSegmentRunner } = await import('./supervisor/serve.js');
  watchLoop('segment-runner', config.BATON_HUNG_MS, logger);
  process.exit(await serveSegmentRunner(config, pool));
} catch (error) {
  startUp.error({}, `the segment-runner cannot start: ${messageOf(error)}`);
  process.exit(1);
}
