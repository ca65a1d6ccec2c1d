import { Module, type DynamicModule } from '@nestjs/common';
import { APP_GUARD, APP_INTERCEPTOR } from '@nestjs/core';
import { PrismaClient, Statements, type Database } from '@seedfleet/persistence';
import { ApiKeyController } from './access/api-key.controller.js';
import { ApiKeyRepository } from './access/api-key.repository.js';
import { ScopeGuard } from './access/scope.guard.js';
import { SessionController } from './access/session.controller.js';
import { SessionRepository } from './access/session.repository.js';
import { SignInLock } from './access/sign-in-lock.js';
import { AuditController } from './audit/audit.controller.js';
import { ChannelController } from './channels/channel.controller.js';
import { CloseController } from './channels/close.controller.js';
import { ChannelTransactions } from './channels/channel-transactions.js';
import { ChannelRepository } from './channels/channel.repository.js';
import { EventGatherer } from './events/event-gatherer.js';
import { EventLog } from './events/event-log.js';
import { EventStreams } from './events/event-streams.js';
import { EventsController } from './events/events.controller.js';
import { IdempotencyInterceptor } from './http/idempotency.interceptor.js';
import { RepeatableWrites } from './http/repeatable-writes.js';
import { DemandBusController } from './demand/demand-bus.controller.js';
import { DemandController } from './demand/demand.controller.js';
import { DemandRepository } from './demand/demand.repository.js';
import { IDENTITY, type FleetIdentity } from './identity.js';
import { ContentController } from './making/content.controller.js';
import { CONTENT_ROOTS, type ContentRoot } from './making/content-roots.js';
import { Maker } from './making/maker.js';
import { MakingController } from './making/making.controller.js';
import { MakingRepository } from './making/making.repository.js';
import { MarketController } from './market/market.controller.js';
import { PriceHistory } from './market/price-history.js';
import { PriceList } from './market/price-list.js';
import { Assignments } from './nodes/assignments.js';
import { FeeOutlookBoard } from './nodes/fee-outlook.js';
import { TreasuryController } from './treasury/treasury.controller.js';
import { FleetBusController } from './nodes/fleet-bus.controller.js';
import { FleetNews } from './nodes/fleet-news.js';
import { FleetNodeMetrics } from './nodes/node-metrics.js';
import { NodeController } from './nodes/node.controller.js';
import { QuarantineController } from './nodes/quarantine.controller.js';
import { NodeRepository } from './nodes/node.repository.js';
import { BulkEditController } from './offers/bulk-edit.controller.js';
import { BulkEditRepository } from './offers/bulk-edit.repository.js';
import { BulkEditService } from './offers/bulk-edit.service.js';
import { OfferController } from './offers/offer.controller.js';
import { OfferNews } from './offers/offer-news.js';
import { OfferRepository } from './offers/offer.repository.js';
import { OfferService } from './offers/offer.service.js';
import { CostSettings, CostSettingsController } from './settings/cost-settings.js';
import { LabelRepository } from './torrents/label.repository.js';
import { TierController } from './tiers/tier.controller.js';
import { TierRepository } from './tiers/tier.repository.js';
import { AlertRepository } from './overview/alert.repository.js';
import { AlertBoard } from './overview/alert-board.js';
import { AlertWatch } from './overview/alert-watch.js';
import { AlertsController } from './overview/alerts.controller.js';
import { FleetController } from './overview/fleet.controller.js';
import { FleetRepository } from './overview/fleet.repository.js';
import { SeriesController } from './overview/series.controller.js';
import { SeriesRepository } from './overview/series.repository.js';
import { ExplainController } from './reports/explain.controller.js';
import { ExplainRepository } from './reports/explain.repository.js';
import { ExportController } from './reports/export.controller.js';
import { ExportRows } from './reports/export-rows.js';
import { MeasureRepository } from './reports/measure.repository.js';
import { ReportController } from './reports/report.controller.js';
import { ReportService } from './reports/report.service.js';
import { ServedRepository } from './reports/served.repository.js';
import { TorrentFigures } from './reports/torrent-figures.js';
import { TorrentRanking } from './reports/torrent-ranking.js';
import { TorrentTotals } from './reports/torrent-totals.js';
import { PlacementPreviewer } from './placement/preview.js';
import { PlacementWishes } from './placement/placement-wishes.js';
import { PlacementController } from './placement/placement.controller.js';
import { PlacementRepository } from './placement/placement.repository.js';
import { PlacementService } from './placement/placement.service.js';
import { MarketRetention } from './retention/market-retention.js';
import { RevenueController } from './revenue/revenue.controller.js';
import { RevenueRepository } from './revenue/revenue.repository.js';
import { TakedownBusController } from './takedown/takedown-bus.controller.js';
import { TakedownContentRepository } from './takedown/takedown-content.repository.js';
import { TakedownController } from './takedown/takedown.controller.js';
import { TakedownRepository } from './takedown/takedown.repository.js';
import { TakedownService } from './takedown/takedown.service.js';
import { NameSearch } from './torrents/named-torrents.js';
import { TorrentController } from './torrents/torrent.controller.js';
import { TorrentRepository } from './torrents/torrent.repository.js';
import { TorrentService } from './torrents/torrent.service.js';
import { DeliveryQueue } from './webhooks/delivery-queue.js';
import { DeliveryRepository } from './webhooks/delivery.repository.js';
import { WEBHOOK_SETTINGS, type WebhookSettings } from './webhooks/settings.js';
import { WebhookController } from './webhooks/webhook.controller.js';
import { WebhookRepository } from './webhooks/webhook.repository.js';

/** The service, but for what every service has: bus, logger, metrics and health come from the service kit. */
@Module({})
export class MarketApiModule {
  static with(
    { prisma, statements }: Database,
    identity: FleetIdentity,
    webhooks: WebhookSettings,
    contentRoots: readonly ContentRoot[],
  ): DynamicModule {
    return {
      module: MarketApiModule,
      controllers: [
        // Before torrents and nodes: its paths are longer.
        PlacementController,
        OfferController,
        BulkEditController,
        TierController,
        DemandController,
        TorrentController,
        ContentController,
        MakingController,
        TakedownController,
        TakedownBusController,
        ChannelController,
        CloseController,
        RevenueController,
        ReportController,
        TreasuryController,
        ExplainController,
        ExportController,
        CostSettingsController,
        NodeController,
        QuarantineController,
        FleetController,
        SeriesController,
        AlertsController,
        MarketController,
        ApiKeyController,
        SessionController,
        AuditController,
        EventsController,
        WebhookController,
        FleetBusController,
        DemandBusController,
      ],
      providers: [
        { provide: PrismaClient, useValue: prisma },
        { provide: Statements, useValue: statements },
        { provide: IDENTITY, useValue: identity },
        { provide: WEBHOOK_SETTINGS, useValue: webhooks },
        { provide: CONTENT_ROOTS, useValue: contentRoots },
        { provide: APP_GUARD, useClass: ScopeGuard },
        { provide: APP_INTERCEPTOR, useClass: IdempotencyInterceptor },
        AlertBoard,
        AlertRepository,
        AlertWatch,
        ApiKeyRepository,
        Assignments,
        ChannelRepository,
        ChannelTransactions,
        DemandRepository,
        DeliveryQueue,
        DeliveryRepository,
        SeriesRepository,
        EventGatherer,
        EventLog,
        EventStreams,
        FeeOutlookBoard,
        FleetNews,
        FleetNodeMetrics,
        FleetRepository,
        NodeRepository,
        BulkEditRepository,
        BulkEditService,
        OfferRepository,
        OfferNews,
        OfferService,
        TierRepository,
        Maker,
        MakingRepository,
        PriceHistory,
        PlacementPreviewer,
        PlacementRepository,
        PlacementService,
        PlacementWishes,
        PriceList,
        RepeatableWrites,
        CostSettings,
        ExplainRepository,
        ExportRows,
        LabelRepository,
        MarketRetention,
        MeasureRepository,
        ReportService,
        RevenueRepository,
        ServedRepository,
        TorrentFigures,
        TorrentRanking,
        TorrentTotals,
        SessionRepository,
        SignInLock,
        NameSearch,
        TorrentRepository,
        TakedownRepository,
        TakedownContentRepository,
        TakedownService,
        TorrentService,
        WebhookRepository,
      ],
    };
  }
}
