-- Channels past their deadline are asked for with every look at what needs attention: with 100,000 open ones all of their
-- rows were read for it (0.8 s). Others have nothing to do with their deadline any more and are left out.
CREATE INDEX channel_open_deadline ON channel.channel ("deadlineMtp") WHERE state IN ('funding-seen', 'funded');
