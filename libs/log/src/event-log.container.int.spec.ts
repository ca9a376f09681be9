import { availableContainer, describeEventLog, type StartedContainer } from '#testing';
import { connectLog, type EventLog } from './index.js';

const container = await availableContainer('eventstore');

(container ? describe : describe.skip)('over EventStoreDB in a container', () => {
  let store: StartedContainer | undefined;
  let log: EventLog;
  beforeAll(async () => {
    store = await container?.start(2113);
    log = connectLog(`esdb://${store?.address}?tls=false`);
  }, 120_000);
  afterAll(async () => {
    await log.close();
    await store?.stop();
  });
  describeEventLog('the connected log', () => log);
});
