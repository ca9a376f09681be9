import { Controller, Inject } from '@nestjs/common';
import { EventPattern, Payload } from '@nestjs/microservices';
import { AdvanceRun } from '#contracts';
import { Advances } from './advances.js';

@Controller()
export class AdvanceRunHandler {
  constructor(@Inject(Advances) private readonly advances: Advances) {}

  @EventPattern(AdvanceRun.subject)
  async handle(@Payload() { runId }: AdvanceRun): Promise<void> {
    await this.advances.advance(runId);
  }
}
