// Starts Swagger UI. The API key stays in this page's memory: it is not stored in the browser.

// Returns a request without the empty fields of its form.
function withoutEmptyFields(request) {
  if (request.body instanceof FormData) {
    for (const [name, value] of [...request.body]) {
      if (value === "") request.body.delete(name);
    }
  }
  return request;
}

// Swagger UI fills optional form fields with invented values unless they have an example.
async function start() {
  const spec = await (await fetch("openapi.json")).json();
  // The commands use the address from which this page was loaded.
  const address = new URL(".", location.href).href.replace(/\/$/, "");
  spec.info.description = spec.info.description.replace("http://127.0.0.1:8000", address);
  for (const operation of Object.values(spec.paths).flatMap(Object.values)) {
    const schema = operation.requestBody?.content["multipart/form-data"]?.schema;
    for (const [name, field] of Object.entries(schema?.properties ?? {})) {
      if (!schema.required.includes(name) && !("default" in field)) field.example = "";
    }
  }
  SwaggerUIBundle({
    spec,
    dom_id: "#swagger-ui",
    deepLinking: true,
    defaultModelsExpandDepth: 0,
    displayRequestDuration: true,
    docExpansion: "list",
    requestInterceptor: withoutEmptyFields,
    requestSnippetsEnabled: true,
    tryItOutEnabled: true,
    validatorUrl: null,
  });
}

start();
