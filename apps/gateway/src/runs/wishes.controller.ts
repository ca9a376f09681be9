import type { IncomingMessage } from 'node:http';
import { Controller, HttpCode, Inject, Param, Post, Req } from '@nestjs/common';
import {
  AnswerCallRequest,
  ApproveCallRequest,
  CallId,
  CancelRunRequest,
  DenyCallRequest,
  RaiseCapsRequest,
  type Receipt,
  SendMessageRequest,
} from '#contracts';
import { wishApprove, wishCancel, wishDeny, wishMessage, wishPause, wishResume } from '#domain';
import { idOf, newId } from '#platform';
import { Attached } from '../blobs/attached.js';
import { readJson } from '../http/bodies.js';
import { keyOf } from '../http/idempotency-key.js';
import { ApiProblem, validated } from '../http/problems.js';
import { runIdFrom } from './run-id.js';
import { RunWishes } from './run-wishes.js';

/** What people wish of a run under way; the answer is the wish's receipt. */
@Controller('v1/runs/:id')
export class WishesController {
  constructor(
    @Inject(RunWishes) private readonly wishes: RunWishes,
    @Inject(Attached) private readonly attached: Attached,
  ) {}

  @Post('cancel')
  @HttpCode(202)
  async cancel(@Param('id') id: string, @Req() request: IncomingMessage): Promise<Receipt> {
    const { reason } = validated(CancelRunRequest, (await readJson(request)) ?? {});
    return this.wishes.wish(runIdFrom(id), (run, wisher) => wishCancel(run, wisher, reason));
  }

  @Post('pause')
  @HttpCode(202)
  pause(@Param('id') id: string): Promise<Receipt> {
    return this.wishes.wish(runIdFrom(id), wishPause);
  }

  @Post('resume')
  @HttpCode(202)
  resume(@Param('id') id: string): Promise<Receipt> {
    return this.wishes.wish(runIdFrom(id), wishResume);
  }

  @Post('messages')
  @HttpCode(202)
  async message(@Param('id') id: string, @Req() request: IncomingMessage): Promise<Receipt> {
    const { attachments = [], ...said } = validated(SendMessageRequest, await readJson(request));
    await this.attached.assert(attachments);
    const message = { messageId: messageIdOf(id, request), ...said, attachments };
    return this.wishes.wish(runIdFrom(id), (run, wisher) => wishMessage(run, wisher, message));
  }

  @Post('caps')
  @HttpCode(202)
  async caps(@Param('id') id: string, @Req() request: IncomingMessage): Promise<Receipt> {
    const { caps } = validated(RaiseCapsRequest, await readJson(request));
    return this.wishes.raise(runIdFrom(id), caps);
  }

  @Post('calls/:callId/approve')
  @HttpCode(202)
  async approve(
    @Param('id') id: string,
    @Param('callId') named: string,
    @Req() request: IncomingMessage,
  ): Promise<Receipt> {
    const callId = callIdFrom(named);
    const { inputDigest, reason } = validated(ApproveCallRequest, await readJson(request));
    const verdict = { callId, inputDigest, ...(reason === undefined ? {} : { reason }) };
    return this.wishes.verdict(runIdFrom(id), callId, (run, wisher, before) =>
      wishApprove(run, wisher, verdict, before),
    );
  }

  @Post('calls/:callId/deny')
  @HttpCode(202)
  async deny(
    @Param('id') id: string,
    @Param('callId') named: string,
    @Req() request: IncomingMessage,
  ): Promise<Receipt> {
    const callId = callIdFrom(named);
    const { inputDigest, reason, decision } = validated(DenyCallRequest, await readJson(request));
    const verdict = { callId, inputDigest, reason, ...(decision === undefined ? {} : { decision }) };
    return this.wishes.verdict(runIdFrom(id), callId, (run, wisher, before) => wishDeny(run, wisher, verdict, before));
  }

  @Post('calls/:callId/answer')
  @HttpCode(202)
  async answer(
    @Param('id') id: string,
    @Param('callId') named: string,
    @Req() request: IncomingMessage,
  ): Promise<Receipt> {
    const callId = callIdFrom(named);
    const { text } = validated(AnswerCallRequest, await readJson(request));
    const message = { messageId: messageIdOf(id, request), text, interrupt: false, callId };
    return this.wishes.wish(runIdFrom(id), (run, wisher) => wishMessage(run, wisher, message));
  }
}

function messageIdOf(run: string, request: IncomingMessage): string {
  const key = keyOf(request);
  return key === undefined ? newId() : idOf(`message/${run}/${key}`);
}

function callIdFrom(text: string): CallId {
  const id = CallId.safeParse(text);
  if (id.success) return id.data;
  throw new ApiProblem(404, 'call-unknown', `There is no call ${JSON.stringify(text)}: a call id looks like 12-0.`);
}
