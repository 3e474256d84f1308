//! The body of rent, in the three forms that web frameworks take alike: JSON,
//! URL-encoded and multipart. The query string is not looked at.

use std::convert::Infallible;
use std::future::ready;

use bytes::Bytes;
use contract::Problem;
use futures_util::future::FutureExt;
use futures_util::stream::once;
use serde_json::Value;

use crate::dialect::RentContent;
use crate::request::Body;

/// The slug of the service that a rent asks for, not empty.
///
/// # Errors
///
/// The [`Problem`] with the body.
pub(crate) fn slug(
    content_type: Option<&str>,
    body: Body<'_>,
    taken: RentContent,
) -> Result<String, Problem> {
    let bytes = match body {
        Body::Whole(bytes) => bytes.trim_ascii(),
        Body::TooLarge => return Err(Problem::BodyTooLarge),
        Body::Incomplete => return Err(Problem::IncompleteBody),
    };
    let form = Form::of(content_type, bytes);
    if !form.is(taken) {
        return Err(Problem::UnsupportedContent);
    }
    let slug = match form {
        _ if bytes.is_empty() => None,
        Form::Json | Form::LooksLikeJson => from_json(bytes)?,
        Form::UrlEncoded | Form::Nothing => from_url_encoded(bytes),
        Form::Multipart(content_type) => from_multipart(content_type, bytes)?,
    };
    let slug = slug.ok_or(Problem::MissingService)?;
    match slug.trim() {
        "" => Err(Problem::MissingService),
        slug => Ok(slug.to_owned()),
    }
}

/// The first name in a body that is not `service`, if it is JSON or URL-encoded.
pub(crate) fn other_name(content_type: Option<&str>, body: Body<'_>) -> Option<String> {
    let Body::Whole(bytes) = body else {
        return None;
    };
    let bytes = bytes.trim_ascii();
    let is_other = |name: &String| name != "service";
    match Form::of(content_type, bytes) {
        Form::Json | Form::LooksLikeJson => {
            let object: serde_json::Map<String, Value> = serde_json::from_slice(bytes).ok()?;
            object.into_iter().map(|(name, _)| name).find(is_other)
        }
        Form::UrlEncoded => form_urlencoded::parse(bytes)
            .map(|(name, _)| name.into_owned())
            .find(is_other),
        Form::Nothing | Form::Multipart(_) => None,
    }
}

enum Form<'a> {
    Json,
    /// Nothing usable was said about the body, so it speaks for itself.
    LooksLikeJson,
    UrlEncoded,
    /// No body and nothing said about it.
    Nothing,
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
            Self::LooksLikeJson
        } else if essence.is_empty() && body.is_empty() {
            Self::Nothing
        } else {
            Self::UrlEncoded
        }
    }

    const fn is(&self, taken: RentContent) -> bool {
        match taken {
            RentContent::Any => true,
            RentContent::Json => matches!(self, Self::Json | Self::Nothing),
            RentContent::Form => !matches!(self, Self::Json | Self::LooksLikeJson),
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

    fn slug(content_type: Option<&str>, body: &str) -> Result<String, Problem> {
        super::slug(content_type, Body::Whole(body.as_bytes()), RentContent::Any)
    }

    fn multipart(name: &str, value: &str) -> String {
        format!(
            "--line\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n--line--\r\n"
        )
    }

    #[test]
    fn the_three_forms_mean_the_same() {
        let expected = Ok("whatsapp".to_owned());
        for content_type in [
            JSON,
            None,
            Some("text/plain"),
            Some("Application/JSON; charset=utf-8"),
        ] {
            assert_eq!(slug(content_type, r#" {"service":"whatsapp"}"#), expected);
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
        let not_whole = |body| super::slug(JSON, body, RentContent::Any);
        assert_eq!(not_whole(Body::TooLarge), Err(Problem::BodyTooLarge));
        assert_eq!(not_whole(Body::Incomplete), Err(Problem::IncompleteBody));
    }

    #[test]
    fn a_narrow_dialect_takes_what_is_named_only() {
        const NAMED: &str = r#"{"service":"whatsapp"}"#;
        let takes = |taken, content_type, body: &str| {
            super::slug(content_type, Body::Whole(body.as_bytes()), taken)
                != Err(Problem::UnsupportedContent)
        };
        for (content_type, body, json, form) in [
            (JSON, NAMED, true, false),
            (None, NAMED, false, false),
            (FORM, "service=whatsapp", false, true),
            (None, "service=whatsapp", false, true),
            (MULTIPART, "", false, true),
            (None, "", true, true),
        ] {
            assert_eq!(takes(RentContent::Json, content_type, body), json, "{body}");
            assert_eq!(takes(RentContent::Form, content_type, body), form, "{body}");
        }
    }
}
