import { Bus } from '#bus';
import { connectLog } from '#log';
import { createLogger, markOf, messageOf, systemClock } from '#platform';
import { segmentRunnerConfig } from '../config.js';
import { FromChild, ToChild, TURNING_MS } from '../ipc.js';
import { createModel } from '../model/create-model.js';
import { loadPrices } from '../model/prices.js';
import { Child } from './child.js';
import { Pulse } from './pulse.js';
import { rehearse } from './rehearsal.js';
import { successor } from './successor.js';

/*
 * The process of a segment: started by the supervisor ahead of time, it works on one segment at a time. When the
 * supervisor is gone it hands off what it has and ends, since nobody could tell it to stop any more; it works on before,
 * until a runner with a free process waits for the run.
 */

/** Who leaves and cannot end in an orderly way ends all the same, milliseconds. */
const LEAVE_WITHIN_MS = 30_000;
/** How long a process that has no work waits before it rehearses, milliseconds. */
const QUIET_MS = 1_000;
const config = segmentRunnerConfig();
const logger = createLogger('segment', config.BATON_LOG_LEVEL);
const tell = (message: FromChild): void => {
  if (process.connected) process.send?.(message, undefined, {}, () => undefined);
};

process.on('unhandledRejection', (error) => {
  logger.error({ error: messageOf(error) }, 'a promise was left to fail');
});
/** A segment that fails for no reason that it could record ends its process: the supervisor records that at once. */
const crash = (error: unknown): void => {
  logger.error({ err: error }, 'the segment failed; its process ends');
  process.exit(1);
};

// A process whose supervisor goes while it still starts has nothing to hand off: it must not wait for a bus for ever.
const orphaned = (): void => process.exit(0);
process.once('disconnect', orphaned);
if (!process.connected) orphaned();

// It connects while everything else does, so that the first segment does not wait for it.
const pulse = new Pulse(config.BATON_BUS_URL, config.BATON_HUNG_MS);
const bus = await Bus.connect({ url: config.BATON_BUS_URL, name: `segment-${process.pid}`, logger });
const prices = loadPrices(config.BATON_PRICES);
const log = connectLog(config.BATON_LOG_URL);
// Its connection is made now; whether the log is there matters only when there is work.
log.ping().catch(() => undefined);
const child = new Child({ config, logger, bus, log, prices, pulse, createModel, mark: markOf(process.pid), tell });

// The processor first belongs to the others that start now, and always to real work.
const working = new AbortController();
const rehearsal = setTimeout(() => {
  rehearse(config, working.signal).catch((error: unknown) => {
    logger.warn({ error: messageOf(error) }, 'the rehearsal did not succeed');
  });
}, QUIET_MS).unref();
if (config.BATON_ONCE) clearTimeout(rehearsal);

process.on('message', (message) => {
  const order = ToChild.parse(message);
  clearTimeout(rehearsal);
  working.abort();
  if (order.type === 'drain') child.drain();
  else child.run(order).catch(crash);
});
// Whoever was asked to stop takes no more segments: it would hand each of them off at once.
const leave = (why?: string): void => {
  child.drain(why);
  setTimeout(() => process.exit(1), LEAVE_WITHIN_MS).unref();
  void child.settled().finally(() => process.exit(0));
};
process.on('SIGTERM', () => leave());
process.on('SIGINT', () => undefined);
process.off('disconnect', orphaned).on('disconnect', () => {
  const ended = child.settled().catch(() => undefined);
  const siblings = config.BATON_ONCE ? 1 : config.BATON_POOL_SIZE;
  const over = Promise.race([ended, successor({ bus, clock: systemClock, random: Math.random, siblings })]);
  void over.then(() => leave('The supervisor of its process was gone.'));
});
setInterval(() => tell(child.sign()), TURNING_MS);
tell({ type: 'idle' });
