import { createLogger, messageOf, newId, printable } from '#platform';
import { segmentRunnerConfig } from './config.js';
import { Pool } from './supervisor/pool.js';

const startUp = createLogger('segment-runner');
try {
  const config = segmentRunnerConfig();
  const logger = createLogger('segment-runner', config.BATON_LOG_LEVEL);
  logger.info(printable(config), 'starting');
  const pool = new Pool({
    program: new URL('./child/main.js', import.meta.url),
    size: config.BATON_POOL_SIZE,
    segmentsPerChild: config.BATON_SEGMENTS_PER_CHILD,
    runnerId: `runner-${newId()}`,
    logger,
  });
  // The children boot while the supervisor's own framework is loaded: a run that lost its runner waits for both.
  const { serveSegmentRunner } = await import('./supervisor/serve.js');
  await serveSegmentRunner(config, pool);
} catch (error) {
  startUp.error({}, `the segment-runner cannot start: ${messageOf(error)}`);
  process.exit(1);
}
