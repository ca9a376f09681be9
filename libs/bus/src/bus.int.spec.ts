import { silentLogger } from '#platform';
import { availableContainer, describeBus, type StartedContainer, startNats, type TestNats } from '#testing';
import { Bus } from './index.js';

const connect = (url: string): Promise<Bus> => Bus.connect({ url, name: 'contract', logger: silentLogger });

describe('over nats-server', () => {
  let nats: TestNats;
  let bus: Bus;
  beforeAll(async () => {
    nats = await startNats();
    bus = await connect(nats.url);
  });
  afterAll(async () => {
    await bus.close();
    await nats.stop();
  });
  describeBus('the bus', () => bus);
});

const container = await availableContainer('nats');

(container ? describe : describe.skip)('over NATS in a container', () => {
  let nats: StartedContainer | undefined;
  let bus: Bus;
  beforeAll(async () => {
    nats = await container?.start(4222);
    bus = await connect(`nats://${nats?.address}`);
  }, 120_000);
  afterAll(async () => {
    await bus.close();
    await nats?.stop();
  });
  describeBus('the bus', () => bus);
});
