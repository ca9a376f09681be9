import { type DynamicModule, Module } from '@nestjs/common';
import { APP_FILTER, APP_GUARD } from '@nestjs/core';
import { DEFAULT_PATIENCE } from '#domain';
import { Runs } from '#log';
import { silentLogger, systemClock } from '#platform';
import { AgentList } from './agents/agent-list.js';
import { AgentsController } from './agents/agents.controller.js';
import { Agents } from './agents/agents.js';
import { Attached } from './blobs/attached.js';
import { BlobsController } from './blobs/blobs.controller.js';
import { RunBlobsController } from './blobs/run-blobs.controller.js';
import { BY } from './caller.js';
import { BusMeasures } from './doctor/bus-measures.js';
import { DoctorController } from './doctor/doctor.controller.js';
import { Doctor } from './doctor/doctor.js';
import { LogMeasures } from './doctor/log-measures.js';
import { RunMeasures } from './doctor/run-measures.js';
import { EffectsController } from './effects/effects.controller.js';
import { EventsController } from './events/events.controller.js';
import { HealthController } from './health.controller.js';
import { ApiKeyGuard, ApiKeys } from './http/api-key.js';
import { ProblemFilter } from './http/problem.filter.js';
import { Deltas } from './live/deltas.js';
import type { LiveParts } from './live/live-connection.js';
import { LiveServer } from './live/live-server.js';
import { Viewers } from './live/viewers.js';
import { Viewings } from './live/viewings.js';
import { ParkedController } from './parked/parked.controller.js';
import { Findings } from './report/findings.js';
import { ReportController } from './report/report.controller.js';
import { Reports } from './report/reports.js';
import { Allowance } from './runs/allowance.js';
import { Heartbeats } from './runs/heartbeats.js';
import { RunList } from './runs/run-list.js';
import { RunViews } from './runs/run-views.js';
import { RunWishes } from './runs/run-wishes.js';
import { RunsController } from './runs/runs.controller.js';
import { WishesController } from './runs/wishes.controller.js';
import type { Limits, Parking, Surroundings, Timing } from './surroundings.js';
import {
  API_KEY,
  CLOCK,
  EVENT_LOG,
  KEY_FILE,
  LIMITS,
  LIVE_BUS,
  LIVE_PARTS,
  LOGGER,
  PARKING,
  TIMING,
} from './tokens.js';
import { UsageController } from './usage/usage.controller.js';
import { UsageIndex } from './usage/usage-index.js';

const DEFAULT_TIMING: Timing = { keepAliveMs: 15_000, deadViewerMs: 60_000, patience: DEFAULT_PATIENCE };

const NO_LIMITS: Limits = { caps: {}, openRuns: Number.POSITIVE_INFINITY };

@Module({})
export class GatewayModule {
  static in({
    log,
    bus,
    apiKey,
    keyFile,
    clock = systemClock,
    logger = silentLogger,
    limits = NO_LIMITS,
    ...more
  }: Surroundings): DynamicModule {
    const timing: Timing = { ...DEFAULT_TIMING, ...more.timing };
    const parking: Parking = {};
    more.parking?.then((found) => (parking.bus = found)).catch(() => undefined);
    return {
      module: GatewayModule,
      controllers: [
        HealthController,
        AgentsController,
        BlobsController,
        RunsController,
        WishesController,
        EventsController,
        EffectsController,
        RunBlobsController,
        ParkedController,
        ReportController,
        DoctorController,
        UsageController,
      ],
      providers: [
        { provide: EVENT_LOG, useValue: log },
        { provide: LIVE_BUS, useValue: { bus: Promise.resolve(bus) } },
        { provide: PARKING, useValue: parking },
        { provide: API_KEY, useValue: apiKey },
        { provide: KEY_FILE, useValue: { file: keyFile } },
        { provide: CLOCK, useValue: clock },
        { provide: LOGGER, useValue: logger },
        { provide: TIMING, useValue: timing },
        { provide: LIMITS, useValue: limits },
        { provide: Runs, useFactory: () => new Runs(log, { app: 'gateway', id: BY }) },
        {
          provide: LIVE_PARTS,
          inject: [Viewings, Deltas],
          useFactory: (viewings: Viewings, deltas: Deltas): LiveParts => ({ viewings, deltas, clock, logger, timing }),
        },
        { provide: APP_FILTER, useClass: ProblemFilter },
        { provide: APP_GUARD, useClass: ApiKeyGuard },
        ApiKeys,
        Agents,
        AgentList,
        Allowance,
        Attached,
        RunList,
        Findings,
        Doctor,
        RunMeasures,
        LogMeasures,
        BusMeasures,
        Reports,
        UsageIndex,
        RunViews,
        RunWishes,
        Heartbeats,
        Viewers,
        Viewings,
        Deltas,
        LiveServer,
      ],
    };
  }
}
