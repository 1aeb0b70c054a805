import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vite";

// The gateway serves the output as it is: names with a hash, nothing inline, no source maps.
export default defineConfig({
  plugins: [svelte()],
  base: "./",
  build: {
    outDir: "../services/gateway/ketav_gateway/http/web_page",
    emptyOutDir: true,
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
  server: { proxy: Object.fromEntries(["/session", "/me", "/projects", "/ocr", "/models", "/train", "/feedback"].map((path) => [path, "http://127.0.0.1:8000"])) },
});
