//! The body of rent, in the three forms that web frameworks take alike: JSON,
//! URL-encoded and multipart. The query string is not looked at.

use std::convert::Infallible;
use std::future::ready;

use bytes::Bytes;
use contract::{Problem, Service};
use futures_util::future::FutureExt;
use futures_util::stream::once;
use serde_json::Value;

use crate::request::Body;

/// The service that a rent asks for.
///
/// # Errors
///
/// The [`Problem`] with the body.
pub(crate) fn service(
    content_type: Option<&str>,
    body: Body<'_>,
) -> Result<&'static Service, Problem> {
    let bytes = match body {
        Body::Whole(bytes) => bytes.trim_ascii(),
        Body::TooLarge => return Err(Problem::BodyTooLarge),
        Body::Incomplete => return Err(Problem::IncompleteBody),
    };
    let slug = match Form::of(content_type, bytes) {
        _ if bytes.is_empty() => None,
        Form::Json => from_json(bytes)?,
        Form::UrlEncoded => from_url_encoded(bytes),
        Form::Multipart(content_type) => from_multipart(content_type, bytes)?,
    };
    let slug = slug.ok_or(Problem::MissingService)?;
    match slug.trim() {
        "" => Err(Problem::MissingService),
        slug => Service::find(slug).ok_or(Problem::UnknownService),
    }
}

enum Form<'a> {
    Json,
    UrlEncoded,
    /// With the content type, which holds the boundary.
    Multipart(&'a str),
}

impl<'a> Form<'a> {
    fn of(content_type: Option<&'a str>, body: &[u8]) -> Self {
        let content_type = content_type.unwrap_or_default();
        let essence = content_type.split(';').next().unwrap_or_default().trim();
        let is = |name: &str| essence.eq_ignore_ascii_case(name);
        if is("application/json") {
            Self::Json
        } else if is("application/x-www-form-urlencoded") {
            Self::UrlEncoded
        } else if is("multipart/form-data") {
            Self::Multipart(content_type)
        } else if body.starts_with(b"{") {
            // Nothing usable was said about the body, so it speaks for itself.
            Self::Json
        } else {
            Self::UrlEncoded
        }
    }
}

fn from_json(body: &[u8]) -> Result<Option<String>, Problem> {
    let value: Value = serde_json::from_slice(body).map_err(|_| Problem::UnreadableBody)?;
    Ok(value
        .get("service")
        .and_then(Value::as_str)
        .map(str::to_owned))
}

fn from_url_encoded(body: &[u8]) -> Option<String> {
    form_urlencoded::parse(body)
        .find(|(name, _)| name == "service")
        .map(|(_, value)| value.into_owned())
}

fn from_multipart(content_type: &str, body: &[u8]) -> Result<Option<String>, Problem> {
    // All data is there, so the reader never waits and one look at it is enough.
    read_multipart(content_type, Bytes::copy_from_slice(body))
        .now_or_never()
        .and_then(Result::ok)
        .ok_or(Problem::UnreadableBody)
}

async fn read_multipart(content_type: &str, body: Bytes) -> multer::Result<Option<String>> {
    let boundary = multer::parse_boundary(content_type)?;
    let chunks = once(ready(Ok::<_, Infallible>(body)));
    let mut form = multer::Multipart::new(chunks, boundary);
    while let Some(field) = form.next_field().await? {
        if field.name() == Some("service") {
            return field.text().await.map(Some);
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    const JSON: Option<&str> = Some("application/json");
    const FORM: Option<&str> = Some("application/x-www-form-urlencoded");
    const MULTIPART: Option<&str> = Some("multipart/form-data; boundary=line");

    fn slug(content_type: Option<&str>, body: &str) -> Result<&'static str, Problem> {
        service(content_type, Body::Whole(body.as_bytes())).map(|service| service.slug)
    }

    fn multipart(name: &str, value: &str) -> String {
        format!(
            "--line\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n--line--\r\n"
        )
    }

    #[test]
    fn the_three_forms_mean_the_same() {
        let expected = Ok("whatsapp");
        for content_type in [
            JSON,
            None,
            Some("text/plain"),
            Some("Application/JSON; charset=utf-8"),
        ] {
            assert_eq!(slug(content_type, r#" {"service":"WhatsApp"}"#), expected);
        }
        for content_type in [
            FORM,
            None,
            Some("application/x-www-form-urlencoded; charset=UTF-8"),
        ] {
            assert_eq!(slug(content_type, "a=b&service=whats%61pp"), expected);
        }
        assert_eq!(slug(MULTIPART, &multipart("service", "whatsapp")), expected);
    }

    #[test]
    fn without_a_service_there_is_no_rent() {
        for (content_type, body) in [
            (JSON, ""),
            (JSON, "{}"),
            (JSON, "[]"),
            (JSON, r#""whatsapp""#),
            (JSON, r#"{"service":null}"#),
            (JSON, r#"{"service":7}"#),
            (JSON, r#"{"service":["whatsapp"]}"#),
            (JSON, r#"{"service":"  "}"#),
            (FORM, ""),
            (FORM, "service="),
            (FORM, r#"{"service":"whatsapp"}"#),
            (None, ""),
            (MULTIPART, &multipart("other", "whatsapp")),
        ] {
            assert_eq!(
                slug(content_type, body),
                Err(Problem::MissingService),
                "{body}"
            );
        }
    }

    #[test]
    fn a_body_that_is_not_what_it_claims_is_refused() {
        for (content_type, body) in [
            (JSON, "service=whatsapp"),
            (JSON, r#"{"service":"#),
            (None, r#"{"service""#),
            (MULTIPART, "--other\r\n"),
            (Some("multipart/form-data"), "--line--"),
        ] {
            assert_eq!(
                slug(content_type, body),
                Err(Problem::UnreadableBody),
                "{body}"
            );
        }
        assert_eq!(
            slug(JSON, r#"{"service":"nokia"}"#),
            Err(Problem::UnknownService)
        );
        assert_eq!(service(JSON, Body::TooLarge), Err(Problem::BodyTooLarge));
        assert_eq!(
            service(JSON, Body::Incomplete),
            Err(Problem::IncompleteBody)
        );
    }
}
