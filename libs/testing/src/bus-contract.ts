import { z } from 'zod';
import { type Bus, PARKED_STREAM, subjectOf, WORK_STREAM } from '#bus';
import { AdvanceRun, RunId } from '#contracts';
import { newId, Unavailable, Unreadable } from '#platform';
import { until } from './until.js';

const aRun = (): RunId => RunId.parse(newId());

/** What Baton needs of every nats-server, wherever it runs. Each test has subjects and names of its own. */
export function describeBus(name: string, open: () => Bus): void {
  describe(name, () => {
    it('has JetStream with the streams that Baton works with', async () => {
      await open().health().check();
      expect(await open().lastSequence(WORK_STREAM)).toBeGreaterThanOrEqual(0);
      expect(await open().lastSequence(PARKED_STREAM)).toBeGreaterThanOrEqual(0);
    });

    it('stores a message id once', async () => {
      const subject = subjectOf(AdvanceRun, aRun());
      const messageId = newId();
      const first = await open().publish(subject, {}, { messageId });
      expect(await open().publish(subject, {}, { messageId })).toEqual({ ...first, duplicate: true });
    });

    it('lets one of several win who expect the same last sequence', async () => {
      const expectedLastSequence = await open().lastSequence(WORK_STREAM);
      const publish = () => open().publish(subjectOf(AdvanceRun, aRun()), {}, { expectedLastSequence });
      const ends = await Promise.allSettled([1, 2, 3, 4].map(publish));
      expect(ends.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    });

    it('gives back the last message with its headers', async () => {
      const runId = aRun();
      await open().publish(subjectOf(AdvanceRun, runId), { runId }, { headers: { 'Baton-Position': '7/7' } });
      expect(await open().lastMessage(WORK_STREAM)).toMatchObject({
        body: { runId },
        headers: { 'Baton-Position': '7/7' },
      });
    });

    it('delivers a message again whose handler failed, and parks what cannot be handled', async () => {
      const [failing, broken] = [aRun(), aRun()];
      const heard: string[] = [];
      const consuming = open().consume(
        AdvanceRun,
        `contract-${newId()}`,
        async ({ runId }, { deliveryCount }) => {
          if (runId === failing) heard.push(`${deliveryCount}`);
          if (runId === failing && deliveryCount < 3) throw new Unavailable('not now');
          if (runId === broken) throw new Unreadable('never');
        },
        { backoffMs: [20] },
      );
      for (const runId of [failing, broken]) await open().publish(subjectOf(AdvanceRun, runId), { runId });
      await until(() => heard.length === 3);
      expect(heard).toEqual(['1', '2', '3']);
      await until(async () => JSON.stringify(await open().parked()).includes(broken));
      await consuming.stop();
    });

    it('brings a question to who answers, and says when nobody is there', async () => {
      const subject = `ask.${newId()}`;
      const ask = () => open().ask(subject, { n: 4 }, z.object({ twice: z.number() }), { timeoutMs: 5_000 });
      await expect(ask()).rejects.toMatchObject({ code: 'no-responders' });
      const answering = open().answer(subject, z.object({ n: z.number() }), async ({ n }) => ({ twice: 2 * n }));
      await open().health().check();
      expect(await ask()).toEqual({ twice: 8 });
      await answering.stop();
    });
  });
}
