/**
 * The build is a page, one script and one style sheet, all from the server that serves them: its content security
 * policy allows nothing inline and nothing foreign. For development set MARKET_API to a running market API.
 */
export default {
  build: { outDir: 'dist', assetsInlineLimit: 0, modulePreload: { polyfill: false }, chunkSizeWarningLimit: 700 },
  server: { proxy: { '/v1': process.env.MARKET_API ?? 'http://127.0.0.1:8080' } },
};
