//! Products that tell themselves from outside, and by what. Our own table, from the makers' documents; knows no version.

/// One product.
pub(super) struct Product {
    pub(super) name: &'static str,
    /// `vendor:product` of CPE 2.3, all that NVD uses.
    pub(super) cpes: &'static [&'static str],
    pub(super) origin: Origin,
    /// Names in product tokens of headers (`nginx/1.18.0`), lower case.
    pub(super) tokens: &'static [&'static str],
    /// Beginnings of `<meta name=generator>`, lower case.
    pub(super) generators: &'static [&'static str],
    /// Beginnings of cookie names.
    pub(super) cookies: &'static [&'static str],
    /// Headers that only it sends, lower case; their value may be its version.
    pub(super) headers: &'static [&'static str],
    /// Parts of paths of scripts and files; `{v}` stands for the version.
    pub(super) paths: &'static [&'static str],
}

/// Who builds what is installed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// Distributions pack it and repair old versions without changing the number.
    Packaged,
    /// Installed as its makers publish it.
    Upstream,
}

const NONE: Product = Product {
    name: "",
    cpes: &[],
    origin: Origin::Upstream,
    tokens: &[],
    generators: &[],
    cookies: &[],
    headers: &[],
    paths: &[],
};

const fn server(name: &'static str, cpes: &'static [&'static str], tokens: &'static [&'static str]) -> Product {
    Product { name, cpes, tokens, origin: Origin::Packaged, ..NONE }
}

const fn script(name: &'static str, cpes: &'static [&'static str], paths: &'static [&'static str]) -> Product {
    Product { name, cpes, paths, ..NONE }
}

pub(super) const PRODUCTS: &[Product] = &[
    server("nginx", &["nginx:nginx", "f5:nginx", "igor_sysoev:nginx"], &["nginx"]),
    server("Apache HTTP Server", &["apache:http_server"], &["apache"]),
    server("OpenSSL", &["openssl:openssl"], &["openssl"]),
    Product { cookies: &["PHPSESSID"], ..server("PHP", &["php:php"], &["php"]) },
    server("Python", &["python:python"], &["python", "cpython"]),
    server("Perl", &["perl:perl"], &["perl"]),
    server("mod_perl", &["apache:mod_perl"], &["mod_perl"]),
    server("mod_wsgi", &["modwsgi:mod_wsgi"], &["mod_wsgi"]),
    server("mod_jk", &["apache:tomcat_jk_connector"], &["mod_jk"]),
    server("lighttpd", &["lighttpd:lighttpd"], &["lighttpd"]),
    server("Varnish", &["varnish-software:varnish_cache", "varnish_cache_project:varnish_cache"], &["varnish"]),
    server("Squid", &["squid-cache:squid"], &["squid"]),
    server("HAProxy", &["haproxy:haproxy"], &["haproxy"]),
    server("Apache Traffic Server", &["apache:traffic_server"], &["ats", "apachetrafficserver"]),
    Product { origin: Origin::Upstream, ..server("OpenResty", &["openresty:openresty"], &["openresty"]) },
    Product { origin: Origin::Upstream, ..server("Tengine", &["alibaba:tengine"], &["tengine"]) },
    Product { origin: Origin::Upstream, ..server("Caddy", &["caddyserver:caddy"], &["caddy"]) },
    Product {
        origin: Origin::Upstream,
        ..server(
            "LiteSpeed",
            &["litespeedtech:litespeed_web_server", "litespeedtech:openlitespeed"],
            &["litespeed", "openlitespeed"],
        )
    },
    Product {
        origin: Origin::Upstream,
        ..server(
            "Microsoft IIS",
            &["microsoft:internet_information_services", "microsoft:internet_information_server", "microsoft:iis"],
            &["microsoft-iis"],
        )
    },
    Product {
        headers: &["x-aspnet-version"],
        cookies: &["ASP.NET_SessionId", "ASPSESSIONID"],
        ..script("ASP.NET", &["microsoft:.net_framework"], &[])
    },
    Product {
        headers: &["x-aspnetmvc-version"],
        ..script("ASP.NET MVC", &["microsoft:asp.net_model_view_controller"], &[])
    },
    server("Apache Tomcat", &["apache:tomcat"], &["tomcat", "apache-tomcat"]),
    Product { origin: Origin::Upstream, ..server("Jetty", &["eclipse:jetty", "mortbay:jetty"], &["jetty"]) },
    Product { origin: Origin::Upstream, ..server("WebLogic", &["oracle:weblogic_server"], &["weblogic"]) },
    Product {
        origin: Origin::Upstream,
        ..server("GlassFish", &["oracle:glassfish_server", "eclipse:glassfish"], &["glassfish"])
    },
    Product {
        origin: Origin::Upstream,
        ..server("WildFly", &["redhat:wildfly", "redhat:jboss_enterprise_application_platform"], &["wildfly", "jboss"])
    },
    Product { origin: Origin::Upstream, ..server("Gunicorn", &["gunicorn:gunicorn"], &["gunicorn"]) },
    Product { origin: Origin::Upstream, ..server("Werkzeug", &["palletsprojects:werkzeug"], &["werkzeug"]) },
    Product { origin: Origin::Upstream, ..server("Tornado", &["tornadoweb:tornado"], &["tornadoserver"]) },
    Product { origin: Origin::Upstream, ..server("Waitress", &["agendaless:waitress"], &["waitress"]) },
    Product {
        origin: Origin::Upstream,
        ..server("Passenger", &["phusion:passenger", "phusionpassenger:phusion_passenger"], &["phusion", "passenger"])
    },
    Product { origin: Origin::Upstream, ..server("Puma", &["puma:puma"], &["puma"]) },
    Product { headers: &["x-jenkins"], ..script("Jenkins", &["jenkins:jenkins"], &[]) },
    Product {
        headers: &["x-owa-version"],
        ..script("Microsoft Exchange", &["microsoft:exchange_server"], &["/owa/{v}/"])
    },
    Product {
        headers: &["x-confluence-request-time"],
        ..script(
            "Confluence",
            &["atlassian:confluence_server", "atlassian:confluence_data_center", "atlassian:confluence"],
            &[],
        )
    },
    Product {
        headers: &["x-drupal-cache", "x-drupal-dynamic-cache"],
        generators: &["drupal"],
        ..script("Drupal", &["drupal:drupal"], &["/sites/default/files/", "/core/misc/drupal.js?v={v}"])
    },
    Product {
        generators: &["wordpress"],
        cookies: &["wordpress_", "wp-settings-"],
        ..script(
            "WordPress",
            &["wordpress:wordpress"],
            &[
                "/wp-content/",
                "/wp-includes/css/dist/block-library/style.min.css?ver={v}",
                "/wp-includes/js/wp-emoji-release.min.js?ver={v}",
                "/wp-includes/js/wp-embed.min.js?ver={v}",
                "/wp-includes/css/dashicons.min.css?ver={v}",
            ],
        )
    },
    Product {
        generators: &["woocommerce"],
        cookies: &["woocommerce_"],
        ..script(
            "WooCommerce",
            &["woocommerce:woocommerce", "automattic:woocommerce"],
            &[
                "/plugins/woocommerce/assets/css/woocommerce.css?ver={v}",
                "/plugins/woocommerce/assets/js/frontend/woocommerce.min.js?ver={v}",
                "/plugins/woocommerce/",
            ],
        )
    },
    Product {
        generators: &["elementor"],
        ..script(
            "Elementor",
            &["elementor:website_builder", "elementor:elementor"],
            &[
                "/plugins/elementor/assets/js/frontend.min.js?ver={v}",
                "/plugins/elementor/assets/css/frontend.min.css?ver={v}",
            ],
        )
    },
    script(
        "Contact Form 7",
        &["rocklobster:contact_form_7", "contactform7:contact_form_7"],
        &[
            "/plugins/contact-form-7/includes/js/index.js?ver={v}",
            "/plugins/contact-form-7/includes/css/styles.css?ver={v}",
        ],
    ),
    Product {
        generators: &["joomla"],
        ..script("Joomla", &["joomla:joomla\\!", "joomla:joomla"], &["/media/system/js/", "/media/jui/"])
    },
    Product {
        generators: &["typo3"],
        cookies: &["fe_typo_user"],
        ..script("TYPO3", &["typo3:typo3"], &["/typo3conf/", "/typo3temp/"])
    },
    Product {
        generators: &["prestashop"],
        cookies: &["PrestaShop-"],
        ..script("PrestaShop", &["prestashop:prestashop"], &["/themes/core.js"])
    },
    Product {
        generators: &["magento"],
        cookies: &["mage-cache", "mage-messages"],
        headers: &["x-magento-cache-debug", "x-magento-tags"],
        ..script(
            "Magento",
            &[
                "magento:magento",
                "adobe:magento",
                "adobe:commerce",
                "adobe:magento_open_source",
                "adobe:adobe_commerce",
            ],
            &["/static/version", "/mage/cookies.js"],
        )
    },
    Product {
        cookies: &["session-", "sw-"],
        generators: &["shopware"],
        headers: &["sw-version-id"],
        ..script("Shopware", &["shopware:shopware"], &["/bundles/storefront/"])
    },
    Product { cookies: &["OCSESSID"], ..script("OpenCart", &["opencart:opencart"], &["/catalog/view/javascript/"]) },
    Product { generators: &["ghost"], ..script("Ghost", &["ghost:ghost"], &["/ghost/"]) },
    Product { generators: &["hugo"], ..script("Hugo", &["gohugo:hugo"], &[]) },
    Product { generators: &["mediawiki"], ..script("MediaWiki", &["mediawiki:mediawiki"], &["/load.php"]) },
    Product {
        generators: &["gitlab"],
        cookies: &["_gitlab_session"],
        headers: &["x-gitlab-meta"],
        ..script("GitLab", &["gitlab:gitlab"], &[])
    },
    Product { cookies: &["grafana_session"], ..script("Grafana", &["grafana:grafana"], &["/public/build/grafana"]) },
    Product {
        generators: &["discourse"],
        cookies: &["_forum_session"],
        ..script("Discourse", &["discourse:discourse"], &[])
    },
    Product { cookies: &["BIGipServer"], ..script("F5 BIG-IP", &["f5:big-ip_local_traffic_manager"], &[]) },
    Product {
        cookies: &["NSC_"],
        ..script(
            "NetScaler",
            &["citrix:netscaler_application_delivery_controller", "citrix:application_delivery_controller"],
            &["/vpn/js/"],
        )
    },
    script(
        "jQuery",
        &["jquery:jquery"],
        &[
            "/jquery-{v}.min.js",
            "/jquery-{v}.js",
            "/jquery-{v}.slim.min.js",
            "/jquery/{v}/jquery",
            "/jquery@{v}/",
            "/jquery.min.js?ver={v}",
        ],
    ),
    script(
        "jQuery UI",
        &["jqueryui:jquery_ui", "jquery:jquery_ui"],
        &["/jquery-ui-{v}", "/jqueryui/{v}/", "/ui/{v}/jquery-ui"],
    ),
    script(
        "Bootstrap",
        &["getbootstrap:bootstrap"],
        &["/bootstrap/{v}/", "/bootstrap@{v}/", "/twitter-bootstrap/{v}/", "/bootstrap-{v}.min.js"],
    ),
    script(
        "AngularJS",
        &["angularjs:angular.js", "angularjs:angular"],
        &["/angularjs/{v}/", "/angular.js/{v}/", "/angular-{v}.min.js", "/angular@{v}/angular"],
    ),
    script("Lodash", &["lodash:lodash"], &["/lodash.js/{v}/", "/lodash@{v}/", "/lodash-{v}.min.js"]),
    script("Vue.js", &["vuejs:vue", "vuejs:vue.js"], &["/vue/{v}/", "/vue@{v}/", "/vue-{v}.min.js"]),
    script("TinyMCE", &["tiny:tinymce", "tinymce:tinymce"], &["/tinymce/{v}/", "/tinymce@{v}/"]),
    script("CKEditor", &["ckeditor:ckeditor"], &["/ckeditor/{v}/", "/ckeditor4/{v}/", "/ckeditor@{v}/"]),
    Product { headers: &["x-nextjs-cache"], ..server("Next.js", &["vercel:next.js", "zeit:next.js"], &["next.js"]) },
    Product { origin: Origin::Upstream, ..server("Express", &["expressjs:express", "openjsf:express"], &["express"]) },
];
