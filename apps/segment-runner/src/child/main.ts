import { Bus } from '#bus';
import { connectLog } from '#log';
import { createLogger, messageOf } from '#platform';
import { segmentRunnerConfig } from '../config.js';
import { FromChild, ToChild } from '../ipc.js';
import { createModel } from '../model/create-model.js';
import { loadPrices } from '../model/prices.js';
import { Child } from './child.js';
import { Pulse } from './pulse.js';

/*
 * The process of a segment: started by the supervisor ahead of time, it works on one segment at a time. When the
 * supervisor is gone it hands off what it has and ends: nobody could tell it to stop any more.
 */
const config = segmentRunnerConfig();
const logger = createLogger('segment', config.BATON_LOG_LEVEL);
const tell = (message: FromChild): void => {
  if (process.connected) process.send?.(message, undefined, {}, () => undefined);
};

process.on('unhandledRejection', (error) => {
  logger.error({ error: messageOf(error) }, 'a promise was left to fail');
});

const bus = await Bus.connect({ url: config.BATON_BUS_URL, name: `segment-${process.pid}`, logger });
const prices = loadPrices(config.BATON_PRICES);
const child = new Child({
  config,
  logger,
  bus,
  log: connectLog(config.BATON_LOG_URL),
  prices,
  tell,
  pulse: (runnerId) => new Pulse(config.BATON_BUS_URL, runnerId),
  createModel,
});

process.on('message', (message) => {
  const order = ToChild.parse(message);
  if (order.type === 'drain') child.drain();
  else void child.run(order);
});
process.on('SIGTERM', () => child.drain());
process.on('SIGINT', () => undefined);
process.on('disconnect', () => {
  child.drain();
  void child.settled().finally(() => process.exit(0));
});
tell({ type: 'idle' });
