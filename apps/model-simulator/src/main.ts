import { createLogger, messageOf, report, watchLoop } from '#platform';
import { modelSimulatorConfig } from './config.js';
import { startSimulator } from './start.js';

const startUp = createLogger('model-simulator');
try {
  const { BATON_PORT: port, BATON_HOST: host, BATON_HUNG_MS: hungMs, BATON_LOG_LEVEL: level } = modelSimulatorConfig();
  const logger = createLogger('model-simulator', level);
  const simulator = await startSimulator({ port, host, logger });
  const stop = (): void => void simulator.stop();
  process.once('SIGTERM', stop).once('SIGINT', stop);
  logger.info({ url: simulator.url }, 'the model simulator listens');
  report({ type: 'ready', port: simulator.port });
  watchLoop('model-simulator', hungMs, logger);
} catch (error) {
  startUp.error({}, `the model simulator cannot start: ${messageOf(error)}`);
  process.exitCode = 1;
}
