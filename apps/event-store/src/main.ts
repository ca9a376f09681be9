import { createLogger, type Logger, messageOf, readConfig, report, watchLoop } from '#platform';
import { eventStoreConfig } from './config.js';
import { startServer } from './server.js';
import { serverOptions } from './server-options.js';

/**
 * What nobody caught has left the process in a state that nobody knows. It must not write another event: it ends at
 * once, without a last commit, and whoever started it starts it again. What was acknowledged is on the disk.
 */
function endOnUnknownState(logger: Logger): void {
  process.on('uncaughtException', (error) => {
    logger.error({ error: error.stack ?? messageOf(error) }, 'the event store is in an unknown state and ends');
    process.stderr.write(`The event store ends because of a fault of its own: ${messageOf(error)}\n`);
    process.exit(1);
  });
}

try {
  const config = readConfig(eventStoreConfig);
  const logger = createLogger('event-store', config.BATON_LOG_LEVEL);
  endOnUnknownState(logger);
  const server = await startServer({ ...serverOptions(config), logger });
  const stop = (why: string) => {
    logger.info({ why }, 'the event store stops');
    server.stop().then(
      () => process.exit(0),
      (error: unknown) => {
        logger.error({ error: messageOf(error) }, 'the event store did not stop cleanly');
        process.exit(1);
      },
    );
  };
  // A terminal sends SIGINT to the whole group, and whoever started us may pass it on: the second one changes nothing.
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  if (config.BATON_STOP_WITH_PARENT === 'true') process.once('disconnect', () => stop('the parent is gone'));
  const { BATON_HOST: host, BATON_DATA: folder, BATON_MEMORY: memory } = config;
  const data = memory === 'true' ? 'memory' : folder;
  logger.info({ host, port: server.port, data }, 'the event store is ready');
  report({ type: 'ready', port: server.port });
  watchLoop('event-store', config.BATON_HUNG_MS, logger);
} catch (error) {
  process.stderr.write(`${messageOf(error)}\n`);
  process.exitCode = 1;
}
