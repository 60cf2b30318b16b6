"use strict";

// The document's address is relative to this page, so that the server may live beneath a path of a larger site.
const page = SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#swagger-ui",
  deepLinking: true,
  tryItOutEnabled: true,
  displayRequestDuration: true,
  persistAuthorization: true,
  defaultModelsExpandDepth: 0,
  // Swagger UI would otherwise ask a validator on the internet about the document.
  validatorUrl: null,
  // The call that everybody starts with is open from the beginning.
  onComplete: () => page.layoutActions.show(["operations", "evaluate", "evaluate"], true),
});
