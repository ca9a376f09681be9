import { Controller, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Ctx, Payload } from '@nestjs/microservices';
import { AdvanceRun, RunId, RunSegment } from '#contracts';
import { newId, silentLogger, Unavailable, Unreadable } from '#platform';
import { startNats, type TestNats, until } from '#testing';
import { Bus, subjectOf } from './index.js';
import { BusContext, BusErrorFilter, BusTransport, Consumes, type Route } from './nest.js';

const heard: { runId: RunId; deliveryCount: number }[] = [];

@Controller()
class Coordinator {
  @Consumes(AdvanceRun)
  async advance(@Payload() { runId }: AdvanceRun, @Ctx() { arrival }: BusContext): Promise<void> {
    heard.push({ runId, deliveryCount: arrival.deliveryCount });
    if (heard.length === 1) throw new Unavailable('not now');
    if (heard.length === 3) throw new Unreadable('never');
  }
}

@Module({ controllers: [Coordinator] })
class CoordinatorModule {}

let nats: TestNats;
let bus: Bus;

beforeAll(async () => {
  nats = await startNats();
  bus = await Bus.connect({ url: nats.url, name: 'test', logger: silentLogger });
});
afterAll(async () => {
  await bus.close();
  await nats.stop();
});

const advance: Route = { contract: AdvanceRun, durable: 'coordinator-advance-run', backoffMs: [50] };

async function serve(...routes: readonly Route[]) {
  const app = await NestFactory.createMicroservice(CoordinatorModule, {
    strategy: new BusTransport(bus, routes),
    logger: false,
    abortOnError: false,
  });
  app.useGlobalFilters(new BusErrorFilter());
  return app;
}

const state = () => bus.consumerState(advance.durable);

it('a Nest controller gets validated messages, and its error decides what becomes of one', async () => {
  const app = await serve(advance);
  await app.listen();
  const [first, second] = [RunId.parse(newId()), RunId.parse(newId())];
  await bus.publish(subjectOf(AdvanceRun, first), { runId: first });
  await until(() => heard.length === 2);
  await bus.publish(subjectOf(AdvanceRun, second), { runId: second });
  const parked = await until(async () => (await bus.parked()).newest[0]);
  expect(parked).toMatchObject({ reason: 'gave-up', error: 'never', body: { runId: second } });
  await until(async () => (await state())?.ackPending === 0);
  expect(heard).toEqual([
    { runId: first, deliveryCount: 1 },
    { runId: first, deliveryCount: 2 },
    { runId: second, deliveryCount: 1 },
  ]);
  await app.close();
  expect(bus.isConnected()).toBe(true);
});

it('a Nest app whose handlers and contracts do not match is not started', async () => {
  const unserved = await serve(advance, { contract: RunSegment, durable: 'x' });
  await expect(unserved.listen()).rejects.toThrow(`${RunSegment.subject} has no handler`);
  const stray = await serve();
  await expect(stray.listen()).rejects.toThrow(`the handler of ${AdvanceRun.subject} has no contract`);
});
