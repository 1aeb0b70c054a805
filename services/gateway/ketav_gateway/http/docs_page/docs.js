// Starts Swagger UI. The API key stays in this page's memory: it is not stored in the browser.
SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#swagger-ui",
  deepLinking: true,
  defaultModelsExpandDepth: 0,
  displayRequestDuration: true,
  docExpansion: "list",
  requestSnippetsEnabled: true,
  tryItOutEnabled: true,
  validatorUrl: null,
});
